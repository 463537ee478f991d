//! One connection to the server: made when it is first used, and made anew after it was lost.

use postgres::{Client, Error};

use super::address::{self, Address};
use super::failure;
use crate::config::SecretUrl;
use crate::control::store::Answer;
use crate::patience::Failure;

/// A connection, and the way to make it.
pub struct Postgres {
    address: Address,
    client: Option<Client>,
}

impl Postgres {
    /// Nothing is sent yet. Fails if the address cannot be one.
    pub fn new(url: &SecretUrl) -> Answer<Self> {
        Ok(Postgres { address: address::read(url)?, client: None })
    }

    /// What it is and where, without its password.
    pub fn shown(&self) -> &str {
        &self.address.shown
    }

    /// Asks the server. A connection over which something did not come is not used again: it may lead to a server that is
    /// no longer the primary.
    pub fn ask<T>(&mut self, question: impl FnOnce(&mut Client) -> Result<T, Error>) -> Answer<T> {
        let mut client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.address.config.connect(self.address.tls.clone()).map_err(|error| failure::of(&error))?,
        };
        match question(&mut client) {
            Ok(answer) => {
                self.client = Some(client);
                Ok(answer)
            }
            Err(error) => Err(failure::of(&error)),
        }
    }
}

/// Of a number that the table cannot hold, or that it holds and nothing else can.
pub fn out_of_range(what: &str) -> Failure {
    Failure::Final(format!("{what} is out of range"), "correct the row")
}
