//! The address of a server, as `libpq` reads it where the client does not: how its certificate is checked.

use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use postgres::Config;
use postgres::config::{Host, SslMode, TargetSessionAttrs};
use postgres_openssl::MakeTlsConnector;

use crate::config::SecretUrl;
use crate::control::store::Answer;
use crate::patience::Failure;

/// How long a connection may take to be made, unless the address says otherwise.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a server may leave without an answer what it was sent, and a connection be silent before it is probed: a
/// machine that is gone does not say so.
const SILENCE: Duration = Duration::from_secs(10);

const ADVICE: &str = "check postgres.url";

/// What is checked of a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// Nothing: `disable`, `prefer` and `require`.
    Nothing,
    /// Who has signed it: `verify-ca`.
    Signature,
    /// That, and whose it is: `verify-full`.
    All,
}

/// A server, or several of which one is the primary.
pub struct Address {
    /// For the client.
    pub config: Config,
    /// Its way to encrypt.
    pub tls: MakeTlsConnector,
    /// As shown: without user and password.
    pub shown: String,
}

/// Reads an address; what is wrong with it is told without its password.
pub fn read(url: &SecretUrl) -> Answer<Address> {
    let wrong = |why: String| Failure::Final(why, ADVICE);
    let (rest, mode, root) = take_out(url.expose());
    let mut config: Config = rest.parse().map_err(|error: postgres::Error| wrong(error.to_string()))?;
    let (mode, check) = match mode.as_deref() {
        None | Some("prefer" | "allow") => (SslMode::Prefer, Check::Nothing),
        Some("disable") => (SslMode::Disable, Check::Nothing),
        // As libpq has it: who names a root wants it to be looked at.
        Some("require") if root.is_none() => (SslMode::Require, Check::Nothing),
        Some("require" | "verify-ca") => (SslMode::Require, Check::Signature),
        Some("verify-full") => (SslMode::Require, Check::All),
        Some(other) => return Err(wrong(format!("sslmode {other:?} is unknown"))),
    };
    config.ssl_mode(mode).application_name("hexflow");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    config.keepalives_idle(SILENCE).keepalives_interval(SILENCE);
    if config.get_hosts().len() > 1 {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let tls = connector(check, root.as_deref()).map_err(|error| wrong(format!("sslrootcert: {error}")))?;
    let shown = format!("PostgreSQL at {}", shown(&config));
    Ok(Address { config, tls, shown })
}

/// Takes `sslmode` and `sslrootcert` out of an address, since the client does not know all that they may be.
fn take_out(url: &str) -> (String, Option<String>, Option<String>) {
    let (mut mode, mut root) = (None, None);
    let mut keep = |pair: &&str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.trim_matches('\'').replace("%2F", "/");
        match name {
            "sslmode" => mode = Some(value),
            "sslrootcert" => root = Some(value),
            _ => return true,
        }
        false
    };
    let rest = match url.split_once('?').filter(|_| url.contains("://")) {
        Some((address, parameters)) => {
            format!("{address}?{}", parameters.split('&').filter(&mut keep).collect::<Vec<_>>().join("&"))
        }
        None if url.contains("://") => url.to_owned(),
        None => url.split(' ').filter(&mut keep).collect::<Vec<_>>().join(" "),
    };
    (rest.trim_end_matches('?').to_owned(), mode, root)
}

fn connector(check: Check, root: Option<&str>) -> Result<MakeTlsConnector, openssl::error::ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls())?;
    if let Some(root) = root.filter(|root| *root != "system") {
        builder.set_ca_file(root)?;
    }
    if check == Check::Nothing {
        builder.set_verify(SslVerifyMode::NONE);
    }
    let mut connector = MakeTlsConnector::new(builder.build());
    connector.set_callback(move |configuration, _host| {
        configuration.set_verify_hostname(check == Check::All);
        Ok(())
    });
    Ok(connector)
}

fn shown(config: &Config) -> String {
    let port = |n: usize| config.get_ports().get(n).or(config.get_ports().first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| match host {
        Host::Tcp(host) => format!("{host}:{}", port(n)),
        Host::Unix(path) => path.display().to_string(),
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    format!("{hosts}/{}", config.get_dbname().or(config.get_user()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_does_not_know_is_taken_out() {
        for (url, rest, mode, root) in [
            ("postgres://app@db/hexflow", "postgres://app@db/hexflow", None, None),
            ("postgres://db/h?sslmode=verify-full", "postgres://db/h", Some("verify-full"), None),
            (
                "postgres://db/h?a=b&sslrootcert=/ca.pem&sslmode=verify-ca&c=d",
                "postgres://db/h?a=b&c=d",
                Some("verify-ca"),
                Some("/ca.pem"),
            ),
            ("host=db sslmode=require user=app", "host=db user=app", Some("require"), None),
        ] {
            let (kept, has_mode, has_root) = take_out(url);
            assert_eq!((kept.as_str(), has_mode.as_deref(), has_root.as_deref()), (rest, mode, root), "{url}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        for url in
            ["postgres://app:hunter2@db:6432/hexflow", "host=db port=6432 user=app password=hunter2 dbname=hexflow"]
        {
            let address = read(&SecretUrl::from(url)).ok().map(|address| address.shown);
            assert_eq!(address.as_deref(), Some("PostgreSQL at db:6432/hexflow"));
        }
        for url in ["postgres://app:hunter2@db:port/hexflow", "postgres://app:hunter2@db/?sslmode=pigeon"] {
            let Err(Failure::Final(why, _)) = read(&SecretUrl::from(url)) else { panic!("{url} is refused") };
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
