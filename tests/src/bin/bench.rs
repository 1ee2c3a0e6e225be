//! `bench N [--json] [--unchanged] [--shuffle SEED] [--program FILE]`: how long the program takes for N customers.
//!
//! `bench cluster N …`: the same for the controller, with N Customers as objects of a real API server.
//!
//! Called with `simulate` first, it is the simulator of such a bench and ends with its standard input.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use tenantry_tests::bench::{self, Desk, Mix, World};

const USAGE: &str =
    "usage: bench [cluster] N [--json] [--unchanged] [--shuffle SEED] [--program FILE] [--idle SECONDS]
  cluster      the controller in place of the command
  N            customers, three accounts each
  --json       print JSON in place of a table
  --unchanged  nothing differs, nobody is invited, everything is readable
  --shuffle    decides the order of files, documents and records
  --program    the program to measure; default: tenantry, or tenantry-controller, beside this one
  --idle       cluster: how long nobody changes anything; default: 300";

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
    cluster: bool,
    idle: Duration,
    customers: usize,
    json: bool,
    mix: Mix,
    shuffle: u64,
    program: Option<PathBuf>,
}

fn asked(arguments: &[String]) -> Option<Asked> {
    let mut asked = Asked {
        simulate: false,
        cluster: false,
        idle: Duration::from_secs(300),
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
            "cluster" => asked.cluster = true,
            "--idle" => asked.idle = Duration::from_secs(arguments.next()?.parse().ok()?),
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
    let usual = if asked.cluster { "tenantry-controller" } else { "tenantry" };
    let program = asked.program.unwrap_or_else(|| own.with_file_name(usual));
    let mut simulator = Command::new(own);
    simulator.arg("simulate").arg(asked.customers.to_string());
    simulator.arg("--shuffle").arg(asked.shuffle.to_string());
    if asked.mix == Mix::UNCHANGED {
        simulator.arg("--unchanged");
    }
    if asked.cluster {
        let bench = bench::cluster::Asked { world, program: &program, idle: asked.idle };
        let runtime = tokio::runtime::Runtime::new()?;
        let measured = runtime.block_on(bench::cluster::run(&bench, simulator))?;
        if asked.json {
            println!("{:#}", bench::cluster::json(&measured));
        } else {
            print!("{}", bench::cluster::table(&measured));
        }
        return Ok(());
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
