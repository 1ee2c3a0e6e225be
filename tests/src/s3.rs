//! An S3-compatible object store (versitygw over a temporary directory) on the loopback interface.
//!
//! Never speaks to a cloud; its keys are those of this run. It honours `If-None-Match` and `If-Match`, which is what
//! state backends build on.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;

use crate::parts::{Part, PartError, available};
use crate::process::{Server, free_port, with_free_ports};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running store. It ends, and its objects go, when this is dropped.
#[derive(Debug)]
pub struct ObjectStore {
    _server: Server,
    dir: TempDir,
    port: u16,
    access_key: String,
    secret_key: String,
}

impl ObjectStore {
    /// Starts one, or gives `None` as [`available`] says.
    #[track_caller]
    pub fn start() -> Option<Self> {
        available(Part::Versitygw.find().and_then(|program| {
            with_free_ports(|| {
                let dir = tempfile::tempdir().map_err(PartError::io("create a temporary directory"))?;
                let objects = dir.path().join("objects");
                fs::create_dir(&objects).map_err(PartError::io("create the store's directory"))?;
                let port = free_port()?;
                let (access_key, secret_key) = ("tenantry-tests".to_owned(), Uuid::new_v4().to_string());
                let mut command = Command::new(&program);
                command
                    .env("ROOT_ACCESS_KEY", &access_key)
                    .env("ROOT_SECRET_KEY", &secret_key)
                    .args(["--port", &format!("127.0.0.1:{port}"), "posix"])
                    .arg(objects);
                let mut server = Server::start(command, dir.path().join("versitygw.log"))?;
                server
                    .wait_until(READY_WITHIN, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
                Ok(Self { _server: server, dir, port, access_key, secret_key })
            })
        }))
    }

    /// The URL that clients take as their endpoint; plain HTTP.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The access key id.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret key.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &'static str {
        "us-east-1"
    }

    /// Makes an empty bucket; names have three letters or more.
    ///
    /// # Panics
    /// When the directory that stands for it cannot be made.
    pub fn bucket(&self, name: &str) {
        fs::create_dir(self.dir.path().join("objects").join(name)).expect("a new bucket is a new directory");
    }
}
