//! What can be asked for.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A compiler and link checker for observability stacks.
///
/// A short stack description becomes every file that its collectors, stores and dashboards read; each line
/// of them can be explained.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 clean, 1 findings at or above the failing level, 2 could not run.")]
pub struct Args {
    /// When to colour reports; without it, on a terminal and without `NO_COLOR`.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub color: When,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal and without `NO_COLOR`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A command.
#[derive(Subcommand)]
pub enum Command {
    /// Write a first stack that compiles
    New(New),
    /// Report what is wrong with stacks, and with what people wrote by hand: files, folders, links between them
    Check(Check),
    /// Compile a stack into a folder of files
    #[command(after_help = "Exit codes: 0 written or up to date, 1 findings, 2 could not run, 130 interrupted.")]
    Build(Build),
    /// Lay out stack files: four spaces a level, a line a word; comments and spellings stay
    Fmt(Fmt),
    /// Write a stack in the other syntax: KDL as YAML, YAML as KDL
    Convert(Convert),
    /// Say which stack line and which pass put a line into an emitted file
    Why(Why),
    /// List every code that can be reported
    Rules(Rules),
    /// Explain a code: what is wrong, why it matters, what to write instead
    Explain(Explain),
    /// Draw a stack
    Graph(Graph),
    /// Say what differs between two stacks: nodes, links, settings, files
    #[command(after_help = "Exit codes: 0 no difference, 1 differences, 2 could not run.")]
    Diff(Diff),
    /// Print a JSON Schema, for editors and validators
    #[command(
        disable_version_flag = true,
        after_help = "Example: telstack schema otelcol --version 0.158.0 --distribution k8s > otelcol.schema.json"
    )]
    Schema(Schema),
    /// Print the environment by which programs with an OpenTelemetry SDK send to a node of a stack
    #[command(after_help = "Example: telstack sdk-env gateway shop.stack.kdl --format dotenv > .env")]
    SdkEnv(SdkEnv),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `new`.
#[derive(clap::Args)]
pub struct New {
    /// The stack's name; it becomes NAME.stack.kdl
    pub name: String,
    /// The folder to write it into
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
}

/// Severities by name.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Fail on errors only
    Error,
    /// Fail on warnings too
    Warning,
    /// Fail on any finding
    Info,
}

/// Report formats.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs; see schemas/diagnostics.schema.json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// GitLab's Code Quality report
    Gitlab,
    /// Test results that most CI systems show
    Junit,
}

/// Formats of lists.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Human,
    /// For programs
    Json,
}

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Check {
    /// Files, folders, or `-` for standard input: stacks, configurations of the OpenTelemetry Collector, docker
    /// compose files and Kubernetes manifests with all that their containers read, haproxy.cfg, files of Prometheus,
    /// Loki, Tempo, Mimir, Jaeger, Alertmanager and Grafana. What a file is, its content tells; in folders, what git
    /// ignores is left alone
    #[arg(required_unless_present = "configs", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// A configuration of a collector that is given several, in order: `--config a.yaml --config b.yaml`. They are
    /// merged as the collector does it
    #[arg(long = "config", value_name = "FILE")]
    pub configs: Vec<PathBuf>,
    /// Pass over files that telstack does not know, instead of failing; for hooks that name every file
    #[arg(long)]
    pub pass_over_unknown: bool,
    /// The collector release that runs, whatever settings, images and files say; `newest` is the newest one known
    #[arg(long, value_name = "VERSION")]
    pub otelcol_version: Option<String>,
    /// The collector distribution that runs, whatever settings, images and files say
    #[arg(long, value_name = "NAME")]
    pub distribution: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Say how often each rule spoke instead of what it said; for people, or with `--format json`
    #[arg(long)]
    pub statistics: bool,
    /// The level from which findings fail the check
    #[arg(long, value_enum, default_value_t = Level::Error, value_name = "LEVEL")]
    pub fail_on: Level,
    /// What is reported.
    #[command(flatten)]
    pub reported: Reported,
    /// What is put right.
    #[command(flatten)]
    pub fixing: Fixing,
}

/// What `check` reports.
#[derive(clap::Args)]
#[command(next_help_heading = "What is reported")]
pub struct Reported {
    /// Report only these codes, whatever the settings say: codes, names, letters of families, or ALL
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Do not report these codes
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Take the settings from this file, instead of the nearest telstack.toml at or above each file
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Look at no settings file
    #[arg(long, conflicts_with = "settings")]
    pub isolated: bool,
    /// Do not report what this file knows
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all findings into the baseline, so that only new ones are reported from now on
    #[arg(long, requires = "baseline")]
    pub write_baseline: bool,
    /// Report only findings with an end in a file that changed since a revision of git, or that git does not know yet
    #[arg(long, value_name = "REV", conflicts_with = "write_baseline")]
    pub changed_since: Option<String>,
}

/// What `check` puts right.
#[derive(clap::Args)]
#[command(next_help_heading = "Fixing")]
pub struct Fixing {
    /// Apply fixes that change no meaning, or put right what cannot work, and report what is left
    #[arg(long, conflicts_with = "write_baseline")]
    pub fix: bool,
    /// With `--fix` or `--diff`: fixes that need a reader, too
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Show what `--fix` would change, and write nothing; fails if there is something
    #[arg(long, conflicts_with_all = ["write_baseline", "format", "statistics"])]
    pub diff: bool,
}

/// Arguments of `build`.
#[derive(clap::Args)]
pub struct Build {
    /// The stack file (*.stack.kdl or *.stack.yaml)
    pub stack: PathBuf,
    /// The folder to write into
    #[arg(short, long = "output", value_name = "DIR", required_unless_present_any = ["explain", "dump_ir"])]
    pub output: Option<PathBuf>,
    /// Write nothing; fail if the folder is not what the stack compiles to
    #[arg(long, conflicts_with = "force")]
    pub check: bool,
    /// Overwrite files of earlier builds that were changed by hand since
    #[arg(long)]
    pub force: bool,
    /// Write nothing; say what was derived, and why
    #[arg(long, conflicts_with_all = ["output", "check", "force", "dump_ir"])]
    pub explain: bool,
    /// Write nothing; print the stack's graph after a pass, as JSON (`list` names the passes)
    #[arg(long, value_name = "PASS", conflicts_with_all = ["output", "check", "force"])]
    pub dump_ir: Option<String>,
}

/// Arguments of `fmt`.
#[derive(clap::Args)]
pub struct Fmt {
    /// Stack files and parts of stacks (*.kdl), or folders that hold stacks; `-` for standard input; without
    /// any, the stacks of this folder
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write nothing; name the files that are not laid out, and fail if there are some
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `convert`.
#[derive(clap::Args)]
pub struct Convert {
    /// The stack file (*.stack.kdl or *.stack.yaml), or a part of a stack
    pub stack: PathBuf,
    /// The file to write; without it, standard output
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The syntax to write; without it, that of the output file, else the other one
    #[arg(long, value_enum, value_name = "SYNTAX")]
    pub to: Option<SyntaxName>,
}

/// Syntaxes by name.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyntaxName {
    /// KDL 2
    Kdl,
    /// YAML
    Yaml,
}

/// Arguments of `why`.
#[derive(clap::Args)]
pub struct Why {
    /// A line of a built file: build/configs/otel-collector.yaml:42
    #[arg(value_name = "FILE:LINE")]
    pub place: String,
}

/// Arguments of `rules`.
#[derive(clap::Args)]
pub struct Rules {
    /// How to list
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub format: ListFormat,
}

/// Arguments of `explain`.
#[derive(clap::Args)]
pub struct Explain {
    /// A code or a name: N002, protocol-port-mismatch
    pub code: String,
}

/// Graph formats.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A Mermaid flowchart, for Markdown
    Mermaid,
    /// A Graphviz digraph
    Dot,
    /// A picture, laid out
    Svg,
}

/// The colours of a picture.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphTheme {
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
    /// What the reader's system prefers
    Auto,
}

/// Arguments of `graph`.
#[derive(clap::Args)]
pub struct Graph {
    /// The stack file (*.stack.kdl or *.stack.yaml)
    pub stack: PathBuf,
    /// How to draw
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub format: GraphFormat,
    /// The colours of `--format svg`
    #[arg(long, value_enum, default_value_t = GraphTheme::Auto)]
    pub theme: GraphTheme,
}

/// Arguments of `sdk-env`.
#[derive(clap::Args)]
pub struct SdkEnv {
    /// The workload, or the collector that programs send to; of several clusters, `CLUSTER/NODE`
    pub node: String,
    /// The stack file; without it, the one in this folder
    pub stack: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = SdkEnvFormat::Container)]
    pub format: SdkEnvFormat,
}

/// Forms of an environment.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SdkEnvFormat {
    /// `env` of a container in Kubernetes, in YAML
    Container,
    /// Lines of NAME=value
    Dotenv,
}

/// Arguments of `diff`.
#[derive(clap::Args)]
pub struct Diff {
    /// The stack file as it is, or was (*.stack.kdl)
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// The stack file to compare it with
    #[arg(value_name = "B")]
    pub after: PathBuf,
    /// Show what differs inside each file, too
    #[arg(long)]
    pub files: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub format: ListFormat,
}

/// Arguments of `schema`.
#[derive(clap::Args)]
pub struct Schema {
    /// What is described
    #[arg(value_enum, value_name = "WHAT")]
    pub what: SchemaOf,
    /// The collector release, for `otelcol`; without it, the newest one known
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// The collector distribution, for `otelcol`; without it, contrib
    #[arg(long, value_name = "NAME")]
    pub distribution: Option<String>,
}

/// What a schema describes, by name.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A stack in YAML (*.stack.yaml)
    Stack,
    /// The report of `check --format json`
    Diagnostics,
    /// The configuration of an OpenTelemetry Collector
    Otelcol,
    /// telstack's own settings (telstack.toml)
    Settings,
}
