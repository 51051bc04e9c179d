//! Who holds an address: asked of the caller, for this crate knows no labels.

use chain::AddressNum;

/// Says who holds addresses. What it says is somebody's word, or an inference from it; the walk
/// only needs to know where to end, and how sure that is.
pub trait Naming {
    /// Who holds this address, if what arrives there is to go no further.
    ///
    /// # Errors
    /// Whatever the ledger reports, where it has to be asked for the script.
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>>;
}

/// Somebody at whom a walk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// A number of the caller's own; the same number is the same party.
    pub party: u32,
    /// How far the source is trusted that says so, 0 to 100.
    pub confidence: u8,
}

/// Knows nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Naming for Nobody {
    fn holder(&mut self, _: AddressNum) -> chain::Result<Option<Holder>> {
        Ok(None)
    }
}

/// Passes the question on, so that a naming can be lent.
impl<N: Naming + ?Sized> Naming for &mut N {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        (**self).holder(address)
    }
}
