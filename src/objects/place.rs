//! Where objects are kept: `file:///folder` or `s3://bucket/prefix`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, PutMode, RetryConfig};

use crate::config;

/// How long a server may take to answer one request.
const REQUEST_PATIENCE: Duration = Duration::from_secs(30);

/// How long the client tries one request again by itself, before we do and say so.
const CLIENT_PATIENCE: Duration = Duration::from_secs(2);

/// A folder or a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket, and what stands before each object's name in it.
    Bucket(String, String),
}

/// A store, opened but not yet asked for anything.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// What stands before each object's name.
    pub prefix: Path,
    /// How an object is put.
    pub mode: PutMode,
}

impl Place {
    /// What a URL means.
    pub fn parse(url: &str) -> Result<Self> {
        if let Some(folder) = url.strip_prefix("file://").filter(|folder| folder.starts_with('/')) {
            return Ok(Place::Folder(folder.into()));
        }
        let bucket = url.strip_prefix("s3://").map(|place| place.split_once('/').unwrap_or((place, "")));
        match bucket {
            Some((bucket, prefix)) if !bucket.is_empty() => Ok(Place::Bucket(bucket.to_owned(), prefix.to_owned())),
            _ => bail!("{url:?} names no place for objects: it is file:///folder or s3://bucket/prefix"),
        }
    }

    /// Whether it is on this machine: what fails there fails again.
    pub fn is_local(&self) -> bool {
        matches!(self, Place::Folder(_))
    }

    /// As it is shown.
    pub fn shown(&self) -> String {
        match self {
            Place::Folder(folder) => folder.display().to_string(),
            Place::Bucket(bucket, prefix) => format!("s3://{bucket}/{prefix}"),
        }
    }

    /// Opens it; sends nothing yet. With `synced` what is put into a folder outlives a loss of power. Fails if the
    /// configuration does not make a client.
    pub fn open(&self, config: &config::ObjectStore, synced: bool) -> Result<Opened> {
        match self {
            Place::Folder(folder) => {
                let folder = std::path::absolute(folder)?;
                let prefix = Path::from_absolute_path(&folder)
                    .with_context(|| format!("{} cannot be a folder of objects", folder.display()))?;
                let store = Arc::new(LocalFileSystem::new().with_fsync(synced));
                // An object's name says what it holds: one that stands already is left as it is.
                Ok(Opened { store, prefix, mode: PutMode::Create })
            }
            Place::Bucket(bucket, prefix) => {
                let store = bucket_store(bucket, config)
                    .with_context(|| format!("cannot make a client of {}", self.shown()))?;
                // Not all servers know conditional puts, and what is put once more is the same.
                Ok(Opened { store, prefix: Path::parse(prefix)?, mode: PutMode::Overwrite })
            }
        }
    }
}

/// A client of a bucket: what the configuration does not say comes from Amazon's own variables of the environment.
fn bucket_store(bucket: &str, config: &config::ObjectStore) -> object_store::Result<Arc<dyn ObjectStore>> {
    let options = ClientOptions::new().with_timeout(REQUEST_PATIENCE);
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: 3, retry_timeout: CLIENT_PATIENCE };
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
    builder = match &config.endpoint {
        Some(endpoint) => {
            let open = endpoint.starts_with("http://");
            builder.with_endpoint(endpoint).with_client_options(options.with_allow_http(open))
        }
        None => builder.with_client_options(options),
    };
    if let Some(key) = &config.access_key {
        builder = builder.with_access_key_id(key.expose());
    }
    if let Some(key) = &config.secret_key {
        builder = builder.with_secret_access_key(key.expose());
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_folders_or_buckets() {
        let bucket = |bucket: &str, prefix: &str| Place::Bucket(bucket.to_owned(), prefix.to_owned());
        assert_eq!(Place::parse("file:///var/gps").ok(), Some(Place::Folder("/var/gps".into())));
        assert_eq!(Place::parse("s3://gps").ok(), Some(bucket("gps", "")));
        assert_eq!(Place::parse("s3://gps/a/b").ok(), Some(bucket("gps", "a/b")));
        for wrong in ["file://", "file://gps", "s3://", "s3:///a", "http://gps", ""] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
