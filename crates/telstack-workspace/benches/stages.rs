//! Where the time of a compilation goes: each stage by itself, and all of them, on stacks of 10 to 1,000 collectors.
//!
//! And what checking a folder of hand-written configurations costs.
//!
//! `cargo bench`. What whole runs cost, in instructions too: `cargo xtask measure`.

#![allow(missing_docs, reason = "criterion's macros make functions")]

use std::{hint::black_box, path::Path, time::Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use telstack_catalog::{ComponentKind, otelcol};
use telstack_diagnostics::{Diagnostics, SourceMap};
use telstack_lang::{Loaded, Loader};
use telstack_syntax::stack::parse_kdl;
use telstack_system::{System, passes};
use telstack_workspace::{Input, MemoryFiles, Request, Told, check_all, compile};

#[path = "../../telstack/tests/support/big.rs"]
mod big;

#[path = "../../telstack/tests/support/many.rs"]
mod many;

const NAME: &str = "big.stack.kdl";

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, _: &str) -> Result<Loaded, String> {
        Err("nothing is included".to_owned())
    }
}

fn lowered(text: &str) -> System {
    let (mut sources, mut out) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add(NAME, text);
    telstack_lang::lower(file, &mut sources, &NoFiles, &mut out).expect("a stack")
}

fn passed(text: &str) -> System {
    let mut system = lowered(text);
    passes::run(&mut system, &mut Diagnostics::default());
    system
}

/// The catalog is opened once in a process, so this is no series: from nothing to the settings of a component.
fn catalog(_: &mut Criterion) {
    let started = Instant::now();
    let component = otelcol::component(ComponentKind::Receiver, "otlp").expect("a component");
    let settings = component.settings(otelcol::newest());
    let first = started.elapsed();
    black_box(settings);
    let started = Instant::now();
    let component = otelcol::component(ComponentKind::Exporter, "kafka").expect("a component");
    black_box(component.settings(otelcol::newest()));
    println!("catalog: the first component after {first:.1?}, the second after {:.1?}", started.elapsed());
}

fn stages(bench: &mut Criterion) {
    let text = big::stack(big::Shape::Tiers, 100);
    let mut group = bench.benchmark_group("100 collectors");
    group.bench_function("parse", |it| {
        let file = SourceMap::default().add(NAME, "");
        it.iter(|| parse_kdl(file, black_box(&text)));
    });
    group.bench_function("parse and lower", |it| it.iter(|| lowered(black_box(&text))));
    group.bench_function("passes", |it| {
        let pass = |mut system: System| {
            passes::run(&mut system, &mut Diagnostics::default());
            system
        };
        it.iter_batched(|| lowered(&text), pass, BatchSize::LargeInput);
    });
    let system = passed(&text);
    group.bench_function("rules", |it| {
        it.iter(|| {
            let mut out = Diagnostics::default();
            telstack_lint::check(black_box(&system), &mut out);
            out
        });
    });
    group.bench_function("emit", |it| it.iter(|| telstack_tools::emit(black_box(&system))));
    group.finish();
}

fn growth(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("compile");
    group.sample_size(10);
    for collectors in [10, 100, 1000] {
        let text = big::stack(big::Shape::Tiers, collectors);
        let files = MemoryFiles::new([(NAME, &*text)]);
        group.throughput(Throughput::Elements(collectors as u64));
        group.bench_with_input(BenchmarkId::from_parameter(collectors), &files, |it, files| {
            it.iter(|| compile(files, Path::new(NAME)).expect("readable"));
        });
    }
    group.finish();
}

/// Folders of configurations by hand, in memory: what is asked of the disk is not in it.
fn folders(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("check a folder");
    group.sample_size(10);
    for configurations in [1, 100, 1000] {
        let named = (0..configurations).map(|at| (format!("d/{at}.yaml"), many::configuration(at)));
        let files = MemoryFiles::new(named);
        let request = Request { inputs: vec![Input::Path("d".into())], ..Request::default() };
        group.throughput(Throughput::Elements(configurations as u64));
        group.bench_with_input(BenchmarkId::from_parameter(configurations), &files, |it, files| {
            it.iter(|| check_all(files, &request, &mut |_: &Path| Ok(Told::default())).expect("readable"));
        });
    }
    group.finish();
}

criterion_group!(benches, catalog, stages, growth, folders);
criterion_main!(benches);
