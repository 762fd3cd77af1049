//! Opens files beneath a folder, and nothing outside of it.
//!
//! The kernel is asked to resolve names beneath the folder's own handle (`openat2`), so that no link, and no
//! change made to the tree meanwhile, leads out. A link with an absolute target is followed if that target lies in
//! the folder; what a link leads to may be hidden, for whoever made the link meant it to be served. Where the kernel cannot do this, names are resolved first and compared; a process that may write in
//! the folder can then win a race, which is why it is only the second choice.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

#[cfg(target_os = "linux")]
use rustix::fs::ResolveFlags;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// A file that nobody touched for this long has times that will differ after the next change: kernels stamp
/// changes to some milliseconds, some network file systems to a second.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// A kernel may give up a resolution beneath a folder while names in it are being moved.
#[cfg(target_os = "linux")]
const TRIES: usize = 8;

/// An open folder.
pub(crate) struct Folder<'a> {
    path: &'a Path,
    handle: OwnedFd,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A regular file, open for reading.
    File(File, Stamps),
    /// A folder.
    Folder,
    /// Nothing that is served: no such name, a name that leads out, a device, or no permission.
    Nothing,
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamps {
    pub(crate) length: u64,
    pub(crate) modified: SystemTime,
    /// Device, inode and time of the last change of any kind, which no caller of `utime` can set back.
    identity: (u64, u64, i64, i64),
}

impl Stamps {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified()?,
            identity: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// Whether any later change will show in the stamps.
    pub(crate) fn settled(&self, now: SystemTime) -> bool {
        let (_, _, seconds, nanoseconds) = self.identity;
        let changed =
            Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
        let since = now.duration_since(SystemTime::UNIX_EPOCH + changed);
        since.is_ok_and(|since| since >= SETTLED_AFTER)
    }
}

impl<'a> Folder<'a> {
    /// Opens the folder itself.
    pub(crate) fn open(path: &'a Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { path, handle: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Opens what `relative` names; links are followed as long as they stay in the folder.
    pub(crate) fn entry(&self, relative: &str) -> io::Result<Entry> {
        let relative = if relative.is_empty() { "." } else { relative };
        match self.beneath(Path::new(relative)) {
            Ok(handle) => entry(handle),
            Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => Err(io::Error::other("no handles left")),
            Err(_) => Ok(Entry::Nothing),
        }
    }

    #[cfg(target_os = "linux")]
    fn beneath(&self, relative: &Path) -> rustix::io::Result<OwnedFd> {
        match self.resolve(relative, ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS) {
            Err(Errno::XDEV) => {
                let inside = self.canonical(relative)?;
                self.resolve(&inside, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
            }
            Err(Errno::NOSYS | Errno::PERM) => self.compared(relative),
            result => result,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn beneath(&self, relative: &Path) -> rustix::io::Result<OwnedFd> {
        self.compared(relative)
    }

    #[cfg(target_os = "linux")]
    fn resolve(&self, relative: &Path, how: ResolveFlags) -> rustix::io::Result<OwnedFd> {
        let mut result = Err(Errno::AGAIN);
        for _ in 0..TRIES {
            result = rustix::fs::openat2(&self.handle, relative, READ, Mode::empty(), how);
            if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        result
    }

    /// Resolves first, compares, then opens.
    fn compared(&self, relative: &Path) -> rustix::io::Result<OwnedFd> {
        let inside = self.canonical(relative)?;
        let inside = if inside.as_os_str().is_empty() { Path::new(".") } else { &inside };
        rustix::fs::openat(&self.handle, inside, READ | OFlags::NOFOLLOW, Mode::empty())
    }

    /// Where `relative` really is, as a path below the folder.
    fn canonical(&self, relative: &Path) -> rustix::io::Result<std::path::PathBuf> {
        let resolve = |path: &Path| {
            path.canonicalize().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOENT))
        };
        let (folder, file) = (resolve(self.path)?, resolve(&self.path.join(relative))?);
        file.strip_prefix(&folder).map(Path::to_path_buf).map_err(|_| Errno::XDEV)
    }
}

/// Opening must not wait for a writer at the other end of a pipe, nor make a terminal this process's own.
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn entry(handle: OwnedFd) -> io::Result<Entry> {
    let file = File::from(handle);
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        Ok(Entry::Folder)
    } else if metadata.is_file() {
        let stamps = Stamps::of(&metadata)?;
        Ok(Entry::File(file, stamps))
    } else {
        Ok(Entry::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// `inner` is served; `outer` lies beside it.
    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        std::fs::create_dir_all(inner.join("deep/er")).unwrap();
        std::fs::create_dir(root.path().join("outer")).unwrap();
        std::fs::write(root.path().join("outer/secret"), "secret").unwrap();
        std::fs::write(inner.join("plain"), "plain").unwrap();
        std::fs::write(inner.join("deep/er/file"), "deep").unwrap();
        symlink("deep/er/file", inner.join("link")).unwrap();
        symlink("../../plain", inner.join("deep/er/up")).unwrap();
        symlink(inner.join("deep"), inner.join("absolute")).unwrap();
        symlink(root.path().join("outer/secret"), inner.join("out")).unwrap();
        symlink("../outer", inner.join("outer")).unwrap();
        symlink("../outer/../inner/plain", inner.join("around")).unwrap();
        symlink("/", inner.join("everything")).unwrap();
        symlink("loop", inner.join("loop")).unwrap();
        symlink("nowhere", inner.join("dangling")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, inner.join("pipe"), Mode::RUSR).unwrap();
        root
    }

    const SERVED: [&str; 7] =
        ["plain", "link", "deep/er/file", "deep/er/up", "absolute/er/file", "around", "deep/er/../er/file"];
    const NOT_SERVED: [&str; 12] = [
        "out",
        "outer/secret",
        "everything/etc/passwd",
        "loop",
        "dangling",
        "pipe",
        "../outer/secret",
        "plain/x",
        "absent",
        "/etc/passwd",
        "absolute/../../outer/secret",
        "deep/er/../../../outer/secret",
    ];

    #[test]
    fn links_are_followed_inside_of_the_folder_and_never_out_of_it() {
        let root = tree();
        let path = root.path().join("inner");
        let folder = Folder::open(&path).unwrap();
        for name in SERVED {
            assert!(matches!(folder.entry(name).unwrap(), Entry::File(..)), "{name}");
        }
        for name in NOT_SERVED {
            assert!(matches!(folder.entry(name).unwrap(), Entry::Nothing), "{name}");
        }
        for name in ["", "deep", "absolute"] {
            assert!(matches!(folder.entry(name).unwrap(), Entry::Folder), "{name}");
        }
    }

    #[test]
    fn without_help_from_the_kernel_the_same_names_are_refused() {
        let root = tree();
        let path = root.path().join("inner");
        let folder = Folder::open(&path).unwrap();
        let opened = |name: &str| folder.compared(Path::new(name)).map(|handle| entry(handle).unwrap());
        for name in SERVED {
            assert!(matches!(opened(name), Ok(Entry::File(..))), "{name}");
        }
        for name in NOT_SERVED {
            assert!(matches!(opened(name), Err(_) | Ok(Entry::Nothing)), "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error_and_not_a_missing_file() {
        let root = tree();
        assert!(Folder::open(&root.path().join("absent")).is_err());
        assert!(Folder::open(&root.path().join("inner/plain")).is_err());
    }

    #[test]
    fn times_are_trusted_once_the_file_was_left_alone() {
        let root = tree();
        let path = root.path().join("inner");
        let Entry::File(_, stamps) = Folder::open(&path).unwrap().entry("plain").unwrap() else {
            panic!("a file")
        };
        let now = SystemTime::now();
        assert!(!stamps.settled(now));
        assert!(!stamps.settled(now - Duration::from_hours(1)), "a clock that went back proves nothing");
        assert!(stamps.settled(now + Duration::from_secs(3)));
    }
}
