//! What can be wrong with a text, and where.

/// A text that is not a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A line starts with an unknown word.
    #[error("'{0}': a line starts with block, blocks, tx or unchecked")]
    Statement(String),
    /// Something else was expected here.
    #[error("expected {expected}, found '{found}'")]
    Expected {
        /// What would have been right.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The line ends too early.
    #[error("the line ends where {0} is expected")]
    EndOfLine(&'static str),
    /// A quotation mark without its partner.
    #[error("the quotation is not closed")]
    Quote,
    /// Not a number, or too large.
    #[error("'{0}' is not a number, or too large here")]
    Number(String),
    /// Not an amount.
    #[error("'{0}' is not an amount: write 0.5 (bitcoin, at most eight decimals), 5000sat or *")]
    Amount(String),
    /// Not hexadecimal bytes.
    #[error("'{0}' is not hexadecimal")]
    Hex(String),
    /// Not a name.
    #[error("'{0}' is not a name: letters, digits and _, a letter first")]
    Name(String),
    /// No such kind of script.
    #[error("'{0}' is not a kind of script")]
    Kind(String),
    /// A name that has another kind already.
    #[error("'{name}' is {kind} already")]
    OtherKind {
        /// The name.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// A name that is taken.
    #[error("'{0}' is there already")]
    Duplicate(String),
    /// A transaction or block that does not exist (yet).
    #[error("there is no '{0}' before this")]
    Unknown(String),
    /// An output that does not exist on this branch, or is spent.
    #[error("'{0}' is not there to be spent on this branch")]
    Spent(String),
    /// Outputs and fee are worth more than the inputs.
    #[error("the outputs take {missing} satoshis more than there are")]
    Overspent {
        /// By how much.
        missing: u64,
    },
    /// More than 21 million bitcoin.
    #[error("more than 21 million bitcoin")]
    TooMuch,
    /// A transaction before the first block.
    #[error("a transaction needs a block: write 'block' before it")]
    NoBlock,
    /// Two coinbases in one block.
    #[error("the block has a coinbase already")]
    SecondCoinbase,
    /// Two outputs that both take what is left.
    #[error("only one output can take what is left")]
    SecondRest,
    /// Too long a chain for a small language.
    #[error("more than {0} blocks")]
    TooLong(usize),
}
