//! The files of this machine.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Component, Path, PathBuf},
};

use super::{Claim, Files, LARGEST, Mode, ReadFailure, Walk, Walked, text};

/// What the name of a staged file ends in.
const STAGED: &str = ".telstack-new";

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read_most(&self, path: &Path, most: u64) -> Result<String, ReadFailure> {
        let bytes = regular(path, most).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => ReadFailure::TooLarge(most),
            io::ErrorKind::NotFound => ReadFailure::Missing,
            io::ErrorKind::IsADirectory => ReadFailure::Other("it is a folder".to_owned()),
            io::ErrorKind::PermissionDenied => ReadFailure::Other("reading it is not permitted".to_owned()),
            _ => ReadFailure::Other(error.to_string()),
        })?;
        text(bytes)
    }

    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error> {
        match regular(path, LARGEST * 4) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn stage(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), io::Error> {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_folders(folder, mode)?;
        let staged = staged(path);
        // What is there is left over, or a link that somebody put there: neither is written to.
        let _ = std::fs::remove_file(&staged);
        let done = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&staged)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| match mode {
                Mode::Same => keep_permissions(path, &staged),
                mode => permit(&staged, mode),
            });
        if done.is_err() {
            // The first error is the one to tell; a left-over that cannot be removed changes nothing.
            let _ = std::fs::remove_file(&staged);
        }
        done
    }

    fn settle(&self, path: &Path) -> Result<(), io::Error> {
        std::fs::rename(staged(path), path).inspect_err(|_| {
            let _ = std::fs::remove_file(staged(path));
        })
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), io::Error> {
        // A link stays a link.
        let target = if mode == Mode::Same { path.canonicalize().ok() } else { None };
        let path = target.as_deref().unwrap_or(path);
        self.stage(path, bytes, mode)?;
        self.settle(path)
    }

    fn sweep(&self, folder: &Path, root: &Path) {
        for name in self.list(folder).unwrap_or_default() {
            if name.starts_with('.') && name.ends_with(STAGED) {
                // What cannot be removed now is tried again by the next build.
                let _ = std::fs::remove_file(folder.join(name));
            }
        }
        prune(folder, root);
    }

    fn claim(&self, folder: &Path) -> Result<Option<Claim>, io::Error> {
        let made = missing(folder).last().map(Path::to_owned);
        if let Err(error) = make_folders(folder, Mode::Text) {
            if let Some(above) = made.as_deref().and_then(Path::parent) {
                prune(folder, above);
            }
            return Err(error);
        }
        // Where a folder cannot be opened or locked (another system, some network disks) builds go on without.
        let Ok(lock) = File::open(folder) else { return Ok(Some(Claim { made, _lock: None })) };
        Ok(match lock.try_lock() {
            Ok(()) => Some(Claim { made, _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(Claim { made, _lock: None }),
        })
    }

    fn permit(&self, path: &Path, mode: Mode) -> Result<(), io::Error> {
        permit(path, mode)
    }

    fn remove(&self, path: &Path, root: &Path) -> Result<(), io::Error> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(folder) = path.parent() {
            prune(folder, root);
        }
        Ok(())
    }

    fn leaves(&self, root: &Path, path: &Path) -> bool {
        let here = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let Ok(real_root) = here.canonicalize() else { return false };
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

    fn reach(&self, path: &Path) -> PathBuf {
        let mut out = PathBuf::new();
        for part in path.components() {
            // Where a folder is there it may be a link: only the system knows what lies above it.
            let entered = matches!(out.components().next_back(), Some(Component::Normal(_)));
            let missing =
                || std::fs::symlink_metadata(&out).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            if part == Component::ParentDir && entered && missing() {
                out.pop();
            } else {
                out.push(part);
            }
        }
        if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
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

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn walk(&self, folder: &Path, how: Walk, wanted: &dyn Fn(&Path) -> bool) -> Walked {
        let mut builder = ignore::WalkBuilder::new(folder);
        builder
            .standard_filters(false)
            .hidden(true)
            .parents(how.as_git)
            .git_ignore(how.as_git)
            .git_exclude(how.as_git)
            .require_git(false)
            .max_depth(Some(how.deepest))
            .sort_by_file_name(Ord::cmp);
        let mut walked = Walked::default();
        // What may not be entered is left out, as if it were not there.
        for entry in builder.build().filter_map(Result::ok) {
            let is_file = entry.file_type().is_some_and(|it| it.is_file());
            if !is_file || !wanted(entry.path()) || entry.metadata().is_ok_and(|it| it.len() > how.largest) {
                continue;
            }
            if walked.files.len() == how.most {
                walked.more = true;
                break;
            }
            walked.files.push(entry.into_path());
        }
        walked
    }
}

/// Gives new contents what the file that they are for allows, if there is one.
fn keep_permissions(path: &Path, staged: &Path) -> Result<(), io::Error> {
    match std::fs::metadata(path) {
        Ok(about) => std::fs::set_permissions(staged, about.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where a file's new contents wait.
fn staged(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{STAGED}"))
}

/// The bytes of a plain file of at most so many. Pipes and devices have no size, and may have no end.
fn regular(path: &Path, most: u64) -> Result<Vec<u8>, io::Error> {
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        return Err(io::Error::other("it is a pipe or a device, not a file: save what it holds to a file first"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len().min(most)).unwrap_or_default());
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Removes a folder and those above it, below `root`, that are empty.
fn prune(folder: &Path, root: &Path) {
    let below = folder.ancestors().take_while(|it| *it != root && it.starts_with(root));
    for folder in below {
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// A folder and those above it that are missing.
fn missing(folder: &Path) -> impl Iterator<Item = &Path> {
    folder.ancestors().take_while(|it| !it.as_os_str().is_empty() && std::fs::symlink_metadata(it).is_err())
}

/// Makes a folder and those above it that are missing.
fn make_folders(folder: &Path, mode: Mode) -> Result<(), io::Error> {
    let missing: Vec<&Path> = missing(folder).collect();
    std::fs::create_dir_all(folder)?;
    // Entering a folder is to it what running is to a file.
    let mode = if matches!(mode, Mode::Own | Mode::Same) { Mode::Own } else { Mode::Program };
    missing.into_iter().try_for_each(|it| permit(it, mode))
}

/// Adds what the mode allows and the user's mask left out.
#[cfg(unix)]
fn permit(path: &Path, mode: Mode) -> Result<(), io::Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let wanted = match mode {
        Mode::Own | Mode::Same => return Ok(()),
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
