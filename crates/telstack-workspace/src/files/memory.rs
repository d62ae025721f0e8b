//! Files in memory.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::{Claim, Files, Mode, ReadFailure, Walk, Walked, text, tidy};

/// Files in memory, for tests and editors.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    files: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
    staged: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

/// Relative paths start at the root of this file system.
fn key(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

impl MemoryFiles {
    /// These files.
    pub fn new<P: AsRef<str>, T: AsRef<str>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let kept = |(path, text): (P, T)| (key(Path::new(path.as_ref())), text.as_ref().as_bytes().to_vec());
        let files = files.into_iter().map(kept).collect();
        Self { files: Mutex::new(files), staged: Mutex::default() }
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn staged(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.staged.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Files for MemoryFiles {
    fn read_most(&self, path: &Path, most: u64) -> Result<String, ReadFailure> {
        let bytes = self.files().get(&key(path)).cloned().ok_or(ReadFailure::Missing)?;
        if bytes.len() as u64 > most { Err(ReadFailure::TooLarge(most)) } else { text(bytes) }
    }

    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error> {
        Ok(self.files().get(&key(path)).cloned())
    }

    fn stage(&self, path: &Path, bytes: &[u8], _: Mode) -> Result<(), io::Error> {
        self.staged().insert(key(path), bytes.to_vec());
        Ok(())
    }

    fn settle(&self, path: &Path) -> Result<(), io::Error> {
        let bytes = self.staged().remove(&key(path)).ok_or(io::ErrorKind::NotFound)?;
        self.files().insert(key(path), bytes);
        Ok(())
    }

    fn sweep(&self, folder: &Path, _: &Path) {
        self.staged().retain(|path, _| path.parent() != Some(&*key(folder)));
    }

    fn claim(&self, _: &Path) -> Result<Option<Claim>, io::Error> {
        Ok(Some(Claim { made: None, _lock: None }))
    }

    fn permit(&self, _: &Path, _: Mode) -> Result<(), io::Error> {
        Ok(())
    }

    fn remove(&self, path: &Path, _: &Path) -> Result<(), io::Error> {
        self.files().remove(&key(path));
        Ok(())
    }

    fn leaves(&self, _: &Path, _: &Path) -> bool {
        false
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path)
    }

    fn reach(&self, path: &Path) -> PathBuf {
        tidy(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<String>, io::Error> {
        let files = self.files();
        let mut names: Vec<String> = files
            .keys()
            .filter_map(|path| path.strip_prefix(key(folder)).ok()?.components().next())
            .map(|it| it.as_os_str().to_string_lossy().into_owned())
            .collect();
        names.dedup();
        Ok(names)
    }

    fn is_folder(&self, path: &Path) -> bool {
        let files = self.files();
        !files.contains_key(path) && files.keys().any(|it| it.starts_with(path))
    }

    fn walk(&self, folder: &Path, how: Walk, wanted: &dyn Fn(&Path) -> bool) -> Walked {
        let files = self.files();
        let hidden = |path: &Path| path.iter().any(|part| part.to_string_lossy().starts_with('.'));
        let mut found = files.iter().filter(|(path, text)| {
            path.strip_prefix(folder).is_ok_and(|it| !hidden(it) && it.iter().count() <= how.deepest)
                && wanted(path)
                && text.len() as u64 <= how.largest
        });
        let files = found.by_ref().take(how.most).map(|(path, _)| path.clone()).collect();
        let more = found.next().is_some();
        Walked { files, more }
    }
}
