//! `bench N [--json] [--unchanged] [--shuffle SEED] [--program FILE]`: how long the program takes for N customers.
//!
//! Called with `simulate` first, it is the simulator of such a bench and ends with its standard input.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use tenantry_tests::bench::{self, Desk, Mix, World};

const USAGE: &str = "usage: bench N [--json] [--unchanged] [--shuffle SEED] [--program FILE]
  N            customers, three accounts each
  --json       print JSON in place of a table
  --unchanged  nothing differs, nobody is invited, everything is readable
  --shuffle    decides the order of files, documents and records
  --program    the program to measure; default: tenantry beside this one";

/// The order of files and records.
const SHUFFLE: u64 = 20_261_121;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Asked {
    simulate: bool,
    customers: usize,
    json: bool,
    mix: Mix,
    shuffle: u64,
    program: Option<PathBuf>,
}

fn asked(arguments: &[String]) -> Option<Asked> {
    let mut asked = Asked {
        simulate: false,
        customers: 0,
        json: false,
        mix: Mix::USUAL,
        shuffle: SHUFFLE,
        program: None,
    };
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "simulate" => asked.simulate = true,
            "--json" => asked.json = true,
            "--unchanged" => asked.mix = Mix::UNCHANGED,
            "--shuffle" => asked.shuffle = arguments.next()?.parse().ok()?,
            "--program" => asked.program = Some(arguments.next()?.into()),
            number => asked.customers = number.replace('_', "").parse().ok().filter(|n| *n > 0)?,
        }
    }
    (asked.customers > 0).then_some(asked)
}

fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let asked = asked(arguments).ok_or(USAGE)?;
    let world = World { customers: asked.customers, mix: asked.mix, shuffle: asked.shuffle };
    if asked.simulate {
        return Ok(bench::simulate(&world)?);
    }
    let own = std::env::current_exe()?;
    let program = asked.program.unwrap_or_else(|| own.with_file_name("tenantry"));
    let mut simulator = Command::new(own);
    simulator.arg("simulate").arg(asked.customers.to_string());
    simulator.arg("--shuffle").arg(asked.shuffle.to_string());
    if asked.mix == Mix::UNCHANGED {
        simulator.arg("--unchanged");
    }
    let desk = Desk::new(world, &program, simulator)?;
    let phases = bench::run(&desk)?;
    if asked.json {
        println!("{:#}", bench::json(&desk, &phases));
    } else {
        print!("{}", bench::table(&desk, &phases));
    }
    Ok(())
}
