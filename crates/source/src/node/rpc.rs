//! JSON-RPC: one call, or many in one request.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Node, NodeError,
    http::{Answer, Bounds},
};

/// Most answers come at once; a node that writes its cache to disk may keep us waiting.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Most answers are below a kilobyte; a block header or a list of tips below a hundred.
pub(super) const SMALL: u64 = 1 << 20;

/// Core's codes (`rpc/protocol.h`) that mean something of their own.
const WARMING_UP: i64 = -28;
const NO_METHOD: i64 = -32601;

/// A call of a batch: the command and its parameters.
pub type Call<'a> = (&'a str, Value);

#[derive(Deserialize)]
struct Reply<T> {
    #[serde(default = "Option::default")]
    result: Option<T>,
    #[serde(default)]
    error: Option<Refusal>,
    #[serde(default)]
    id: Value,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Node {
    /// Calls a command with a list of parameters and reads its result as a `T`.
    ///
    /// # Errors
    /// [`NodeError`]: those of the connection, [`NodeError::Rpc`] with the node's own code, or
    /// [`NodeError::Nonsense`] where the result is no `T`.
    pub fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, NodeError> {
        self.call_within(method, params, Bounds { patience: PATIENCE, body: SMALL })
    }

    pub(super) fn call_within<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
        bounds: Bounds,
    ) -> Result<T, NodeError> {
        let body = request(0, method, params).to_string();
        let answer = self.http.post(body.as_bytes(), method, bounds)?;
        let reply: Reply<T> = self.parse(&answer, method)?;
        self.take(reply, method)
    }

    /// Calls several commands in one request; one result for each, in their order.
    ///
    /// # Errors
    /// As for [`Node::call`], where the request as a whole fails. A command that fails has its own
    /// error in the list.
    pub fn batch<T: DeserializeOwned>(
        &self,
        calls: &[Call<'_>],
        most_bytes: u64,
    ) -> Result<Vec<Result<T, NodeError>>, NodeError> {
        let Some((first, _)) = calls.first() else { return Ok(Vec::new()) };
        let requests = calls.iter().enumerate();
        let body = Value::Array(
            requests.map(|(id, (method, params))| request(id, method, params.clone())).collect(),
        );
        let bounds = Bounds { patience: PATIENCE, body: most_bytes };
        let answer = self.http.post(body.to_string().as_bytes(), first, bounds)?;
        let mut replies: Vec<Reply<T>> = self.parse(&answer, first)?;
        if replies.len() != calls.len() {
            let detail = format!("{} answers to {} questions", replies.len(), calls.len());
            return Err(self.nonsense(first, detail));
        }
        // The order is theirs (JSON-RPC 2.0, section 6), the ids are ours.
        replies.sort_by_key(|reply| reply.id.as_u64());
        if (0..).zip(&replies).any(|(id, reply)| reply.id.as_u64() != Some(id)) {
            return Err(self.nonsense(first, "answers to other questions"));
        }
        let pairs = replies.into_iter().zip(calls);
        Ok(pairs.map(|(reply, (method, _))| self.take(reply, method)).collect())
    }

    fn parse<T: DeserializeOwned>(&self, answer: &Answer, method: &str) -> Result<T, NodeError> {
        // Errors come with a status of 404 or 500 that says less than their body does.
        let error = match serde_json::from_slice(&answer.body) {
            Ok(parsed) => return Ok(parsed),
            Err(error) => error,
        };
        // A refusal of a whole batch is a single object.
        if let Ok(Reply { error: Some(refusal), .. }) =
            serde_json::from_slice::<Reply<Value>>(&answer.body)
        {
            return Err(refused(refusal, method));
        }
        let url = self.url().to_owned();
        Err(match answer.status {
            403 => NodeError::Forbidden { url, request: method.to_owned() },
            503 => NodeError::Busy { url },
            200 => self.nonsense(method, error),
            status => self.nonsense(method, format_args!("HTTP status {status}")),
        })
    }

    fn take<T: DeserializeOwned>(&self, reply: Reply<T>, method: &str) -> Result<T, NodeError> {
        match (reply.error, reply.result) {
            (Some(refusal), _) => Err(refused(refusal, method)),
            (None, Some(result)) => Ok(result),
            // `null` is a result too, where the type has it.
            (None, None) => {
                serde_json::from_value(Value::Null).map_err(|_| self.nonsense(method, "no result"))
            }
        }
    }

    pub(super) fn nonsense(&self, request: &str, detail: impl ToString) -> NodeError {
        let (url, request) = (self.url().to_owned(), request.to_owned());
        NodeError::Nonsense { url, request, detail: detail.to_string() }
    }
}

fn request(id: usize, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "1.0", "id": id, "method": method, "params": params })
}

fn refused(refusal: Refusal, method: &str) -> NodeError {
    /// Longer messages are not for people.
    const LONGEST: usize = 400;
    let Refusal { code, message } = refusal;
    let message: String = message.chars().take(LONGEST).collect();
    match code {
        WARMING_UP => NodeError::WarmingUp(message),
        NO_METHOD => NodeError::NoMethod { method: method.to_owned() },
        code => NodeError::Rpc { method: method.to_owned(), code, message },
    }
}
