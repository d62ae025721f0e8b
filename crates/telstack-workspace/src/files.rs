//! The only way to files.

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
    sync::Mutex,
};

/// Largest text that is read, in bytes: far above any stack, far below memory.
const LARGEST: u64 = 64 << 20;

/// Why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadFailure {
    /// There is no such file.
    Missing,
    /// It is not UTF-8; the byte where that shows.
    NotText(usize),
    /// Larger than what is read.
    TooLarge(u64),
    /// Anything else, in the system's words.
    Other(String),
}

impl std::fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadFailure::Missing => f.write_str("there is no such file"),
            ReadFailure::NotText(at) => write!(f, "it is not UTF-8 text (see byte {at})"),
            ReadFailure::TooLarge(size) => write!(f, "it has {size} bytes; at most {LARGEST} are read"),
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
}

/// Reads and writes files. Paths are as the user gave them, relative to the working folder.
pub trait Files {
    /// The text of a file, without a byte order mark.
    fn read(&self, path: &Path) -> Result<String, ReadFailure>;
    /// The bytes of a file; none if it is missing.
    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error>;
    /// Replaces a file in one step, making its folders. Whoever may use the file may use the new folders.
    fn write(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), io::Error>;
    /// Gives a file that is there what its mode allows.
    fn permit(&self, path: &Path, mode: Mode) -> Result<(), io::Error>;
    /// Removes a file and the folders that this leaves empty, up to `root`.
    fn remove(&self, path: &Path, root: &Path) -> Result<(), io::Error>;
    /// Does a link on the way below `root` lead elsewhere?
    fn leaves(&self, root: &Path, path: &Path) -> bool;
    /// The path from the root of the file system on.
    fn absolute(&self, path: &Path) -> PathBuf;
    /// What lies directly in a folder; empty if there is none.
    fn list(&self, folder: &Path) -> Result<Vec<String>, io::Error>;
}

fn text(bytes: Vec<u8>) -> Result<String, ReadFailure> {
    let text = String::from_utf8(bytes).map_err(|error| ReadFailure::NotText(error.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
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

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&self, path: &Path) -> Result<String, ReadFailure> {
        let size = std::fs::metadata(path).map_err(|error| failure(&error))?.len();
        if size > LARGEST {
            return Err(ReadFailure::TooLarge(size));
        }
        text(std::fs::read(path).map_err(|error| failure(&error))?)
    }

    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), io::Error> {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_folders(folder, mode)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let staged = folder.join(format!(".{name}.{}.tmp", std::process::id()));
        let done = std::fs::write(&staged, bytes)
            .and_then(|()| permit(&staged, mode))
            .and_then(|()| std::fs::rename(&staged, path));
        if done.is_err() {
            // The first error is the one to tell; a left-over that cannot be removed changes nothing.
            let _ = std::fs::remove_file(&staged);
        }
        done
    }

    fn permit(&self, path: &Path, mode: Mode) -> Result<(), io::Error> {
        permit(path, mode)
    }

    fn remove(&self, path: &Path, root: &Path) -> Result<(), io::Error> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut folder = path.parent();
        while let Some(it) = folder.filter(|it| *it != root && it.starts_with(root)) {
            if std::fs::remove_dir(it).is_err() {
                break;
            }
            folder = it.parent();
        }
        Ok(())
    }

    fn leaves(&self, root: &Path, path: &Path) -> bool {
        let Ok(real_root) = root.canonicalize() else { return false };
        let mut known = path;
        loop {
            if std::fs::symlink_metadata(known).is_ok() {
                return known.canonicalize().map_or(true, |real| !real.starts_with(&real_root));
            }
            match known.parent() {
                Some(parent) if parent.starts_with(root) => known = parent,
                _ => return false,
            }
        }
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        // It fails only where there is no working folder: then nothing relative can be meant.
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    }

    fn list(&self, folder: &Path) -> Result<Vec<String>, io::Error> {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}

/// Makes a folder and those above it that are missing.
fn make_folders(folder: &Path, mode: Mode) -> Result<(), io::Error> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|it| !it.as_os_str().is_empty() && std::fs::symlink_metadata(it).is_err())
        .collect();
    std::fs::create_dir_all(folder)?;
    // Entering a folder is to it what running is to a file.
    let mode = if mode == Mode::Own { mode } else { Mode::Program };
    missing.into_iter().try_for_each(|it| permit(it, mode))
}

/// Adds what the mode allows and the user's mask left out.
#[cfg(unix)]
fn permit(path: &Path, mode: Mode) -> Result<(), io::Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let wanted = match mode {
        Mode::Own => return Ok(()),
        Mode::Text => 0o644,
        Mode::Program => 0o755,
    };
    let mut permissions = std::fs::metadata(path)?.permissions();
    let bits = permissions.mode();
    if bits & wanted == wanted {
        return Ok(());
    }
    permissions.set_mode(bits | wanted);
    std::fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn permit(_: &Path, _: Mode) -> Result<(), io::Error> {
    Ok(())
}

fn failure(error: &io::Error) -> ReadFailure {
    match error.kind() {
        io::ErrorKind::NotFound => ReadFailure::Missing,
        io::ErrorKind::IsADirectory => ReadFailure::Other("it is a folder".to_owned()),
        io::ErrorKind::PermissionDenied => ReadFailure::Other("reading it is not permitted".to_owned()),
        _ => ReadFailure::Other(error.to_string()),
    }
}

/// Files in memory, for tests and editors.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    files: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

impl MemoryFiles {
    /// These files.
    pub fn new<const N: usize>(files: [(&str, &str); N]) -> Self {
        let files = files.into_iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
        Self { files: Mutex::new(files) }
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> Result<String, ReadFailure> {
        text(self.files().get(path).cloned().ok_or(ReadFailure::Missing)?)
    }

    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error> {
        Ok(self.files().get(path).cloned())
    }

    fn write(&self, path: &Path, bytes: &[u8], _: Mode) -> Result<(), io::Error> {
        self.files().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn permit(&self, _: &Path, _: Mode) -> Result<(), io::Error> {
        Ok(())
    }

    fn remove(&self, path: &Path, _: &Path) -> Result<(), io::Error> {
        self.files().remove(path);
        Ok(())
    }

    fn leaves(&self, _: &Path, _: &Path) -> bool {
        false
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<String>, io::Error> {
        let files = self.files();
        let mut names: Vec<String> = files
            .keys()
            .filter_map(|path| path.strip_prefix(folder).ok()?.components().next())
            .map(|it| it.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        Ok(names)
    }
}
