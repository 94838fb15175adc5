//! The composition root: the only place that names adapters, loops and exits.

mod agents;
mod args;
mod audit;
mod barrier;
mod containers;
mod demo;
mod doctor;
mod hub;
mod inspect;
mod keyd;
mod manifest;
mod modes;
pub mod pool;
mod private;
mod prompts;
mod relay;
mod resting;
mod serve;
mod setup;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use self::args::{Args, Command};

/// Runs the program; errors go to standard error with what to do next.
pub fn run() -> ExitCode {
    if let Some(code) = modes::run(std::env::args_os()) {
        return code;
    }
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("the runtime")),
    };
    let result = runtime.block_on(async {
        match args.command {
            Command::Serve(serve) => serve::serve(&args.common, &serve).await,
            Command::Demo(demo) => demo::demo(&demo).await,
            Command::Setup(setup) => setup::setup(&args.common, &setup).await,
            Command::Doctor(doctor) => doctor::doctor(&args.common, &doctor).await,
            Command::Keyd(keyd) => keyd::keyd(&args.common, &keyd).await,
            Command::Audit(of) => audit::audit(&args.common, &of).await,
            Command::Agents(of) => agents::agents(&args.common, &of).await,
            Command::Prompts(of) => prompts::prompts_of(&of),
            Command::Runs => inspect::runs(&args.common).await,
            Command::Show { run, stream: None } => inspect::show(&args.common, &run).await,
            Command::Show { run, stream: Some(entry) } => {
                inspect::stream(&args.common, &run, entry).await
            }
            Command::Stop { run } => inspect::stop(&args.common, &run).await,
            Command::Unlock { repo, branch } => inspect::unlock(&args.common, &repo, &branch).await,
            Command::ScriptedAgent => scripted_agent(),
        }
    });
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "an error of the command line goes there")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("slipway: {error:#}");
    ExitCode::FAILURE
}

/// The demo's agent: our own binary as an ordinary process in the sandbox.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a process that talks")]
fn scripted_agent() -> anyhow::Result<ExitCode> {
    use crate::agent::scripted;
    let prompt = std::io::read_to_string(std::io::stdin())?;
    #[expect(clippy::disallowed_methods, reason = "the script is handed to this process only")]
    let script = std::env::var(scripted::SCRIPT_VARIABLE)?;
    match scripted::play(&prompt, &script, &std::env::current_dir()?) {
        Ok(said) => {
            println!("{said}");
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            eprintln!("{}", failure.why);
            Ok(ExitCode::from(failure.code))
        }
    }
}
