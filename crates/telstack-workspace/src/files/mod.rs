//! The only way to files.

mod disk;
mod memory;

use std::{
    io,
    path::{Component, Path, PathBuf},
};

pub use disk::DiskFiles;
pub use memory::MemoryFiles;

/// Largest file that is read, in bytes: far above what people write, and what is made of it fits in memory.
pub const LARGEST: u64 = 16 << 20;

/// Why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadFailure {
    /// There is no such file.
    Missing,
    /// It is not UTF-8; the byte where that shows.
    NotText(usize),
    /// Larger than what is read: so many bytes.
    TooLarge(u64),
    /// Anything else, in the system's words.
    Other(String),
}

impl std::fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadFailure::Missing => f.write_str("there is no such file"),
            ReadFailure::NotText(at) => write!(f, "it is not UTF-8 text (see byte {at})"),
            ReadFailure::TooLarge(most) => write!(f, "it is larger than the {} MiB that are read", most >> 20),
            ReadFailure::Other(why) => f.write_str(why),
        }
    }
}

/// Who may do what with a file, where the system keeps permissions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As the system makes new files: what only its owner works with.
    Own,
    /// Everybody reads it: containers run as users that are nobody on this machine.
    Text,
    /// Everybody reads and runs it.
    Program,
    /// As it is: what somebody else made is only changed.
    Same,
}

/// How far a walk through a folder goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walk {
    /// Leave out what git leaves out?
    pub as_git: bool,
    /// Deepest folder, counted from where the walk starts.
    pub deepest: usize,
    /// Most files.
    pub most: usize,
    /// Largest file, in bytes.
    pub largest: u64,
}

/// What a walk came by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Walked {
    /// Files, by name; hidden ones and links are left out.
    pub files: Vec<PathBuf>,
    /// Was there more than the walk may take?
    pub more: bool,
}

/// Reads and writes files. Paths are as the user gave them, relative to the working folder.
pub trait Files {
    /// The text of a file, without a byte order mark. A larger file than `most` bytes is not read.
    fn read_most(&self, path: &Path, most: u64) -> Result<String, ReadFailure>;
    /// The bytes of a file; none if it is missing.
    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error>;
    /// Lays a file's new contents beside it, making its folders. Whoever may use the file may use the new
    /// folders.
    fn stage(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), io::Error>;
    /// Puts what was staged in the file's place, in one step.
    fn settle(&self, path: &Path) -> Result<(), io::Error>;
    /// Removes what was staged beside files in a folder and not settled, by whom it may be, and the folders that
    /// this leaves empty, up to `root`.
    fn sweep(&self, folder: &Path, root: &Path);
    /// Gives a file that is there what its mode allows.
    fn permit(&self, path: &Path, mode: Mode) -> Result<(), io::Error>;
    /// Removes a file and the folders that this leaves empty, up to `root`.
    fn remove(&self, path: &Path, root: &Path) -> Result<(), io::Error>;
    /// Makes a folder if it is missing, and keeps others out of it until the claim is dropped. None if somebody
    /// else has it.
    fn claim(&self, folder: &Path) -> Result<Option<Claim>, io::Error>;
    /// Does a link on the way below `root` lead elsewhere?
    fn leaves(&self, root: &Path, path: &Path) -> bool;
    /// The path from the root of the file system on.
    fn absolute(&self, path: &Path) -> PathBuf;
    /// The path without steps into folders that are missing and out of them again: nobody can go there, and nobody
    /// wants them made.
    fn reach(&self, path: &Path) -> PathBuf;
    /// What lies directly in a folder; empty if there is none.
    fn list(&self, folder: &Path) -> Result<Vec<String>, io::Error>;
    /// Is it a folder?
    fn is_folder(&self, path: &Path) -> bool;
    /// The files in a folder and below whose names are wanted.
    fn walk(&self, folder: &Path, how: Walk, wanted: &dyn Fn(&Path) -> bool) -> Walked;

    /// The text of a file, without a byte order mark.
    fn read(&self, path: &Path) -> Result<String, ReadFailure> {
        self.read_most(path, LARGEST)
    }

    /// Replaces a file in one step, making its folders.
    fn write(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), io::Error> {
        self.stage(path, bytes, mode)?;
        self.settle(path)
    }
}

/// Holds a folder against other builds for as long as it lives.
#[derive(Debug)]
pub struct Claim {
    /// The highest folder that was missing and is made now; none if all were there.
    pub made: Option<PathBuf>,
    /// The folder, locked; none where the system cannot lock folders.
    _lock: Option<std::fs::File>,
}

fn text(bytes: Vec<u8>) -> Result<String, ReadFailure> {
    let mut text = String::from_utf8(bytes).map_err(|error| ReadFailure::NotText(error.utf8_error().valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// `build/../stacks/x` is `stacks/x`, without a look at the disk.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
