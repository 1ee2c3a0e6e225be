//! The example `examples/quickstart`, inside the program: its declarations and what its simulated consoles hold.

use std::path::Path;

use serde_json::Value;

use crate::exit::{CliError, io};

macro_rules! files {
    ($($file:literal,)*) => {
        /// Declarations by their path.
        pub const FILES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../../examples/quickstart/", $file)))),*];
    };
}

files! {
    "consoles.yaml",
    "customers/adatum.yaml",
    "customers/altbau.yaml",
    "customers/praxis-mueller.yaml",
    "products.yaml",
}

/// What the simulated consoles hold at first.
pub fn seed() -> Value {
    serde_json::from_str(include_str!("../../../examples/quickstart/sim.json"))
        .expect("the example's seed is JSON")
}

/// Writes the declarations below a directory.
pub fn write(dir: &Path) -> Result<(), CliError> {
    for (file, text) in FILES {
        let path = dir.join(file);
        let parent = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent).map_err(|error| io("create", parent, &error))?;
        std::fs::write(&path, text).map_err(|error| io("write", &path, &error))?;
    }
    Ok(())
}
