//! What FFmpeg may open: one place that decides it, by what the user named.
//!
//! FFmpeg opens whatever a file or its name leads to: a playlist names other files and hosts, a text
//! file becomes a picture of its text, `a%d.png` is every picture of that kind. So it never gets a
//! name from us but the one of a descriptor, and for each kind of input it has a list of protocols
//! and one of containers.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::log::{PLAYLIST, Secret};
use crate::DeviceError;
use crate::address::cut_address;
use crate::file_refusal::{check_is_file, not_opened};
use crate::printable::printable;

/// What FFmpeg reads from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// One video or picture file, and nothing else on this machine or any other.
    File(&'a Path),
    /// Numbered pictures of one folder, `%03d` standing for the number.
    Pattern(&'a Path),
    /// An address of one of [`SCHEMES`](crate::address::SCHEMES): no file, and no list that leads to
    /// other addresses. It is sent through a pipe, since everybody can read a program's arguments,
    /// and an address may hold a password.
    Address(&'a str),
    /// Frames that we write into FFmpeg's standard input ourselves, as Matroska.
    OwnFrames,
}

/// FFmpeg's names of the containers that are opened. What is left out draws text, names other files
/// or addresses, or opens devices.
const FORMATS: &str = "mov,matroska,avi,gif,apng,ogg,mpeg,mpegts,mpegvideo,m4v,h264,hevc,obu,ivf,\
    flv,live_flv,asf,asf_o,nut,mxf,gxf,dv,rm,wtv,swf,yuv4mpegpipe,mjpeg,mjpeg_2000,png_pipe,\
    jpeg_pipe,jpegls_pipe,webp_pipe,bmp_pipe,tiff_pipe,gif_pipe,ppm_pipe,pgm_pipe,pbm_pipe,\
    pam_pipe,exr_pipe,j2k_pipe,qoi_pipe,psd_pipe,sgi_pipe,dpx_pipe,hdr_pipe,jpegxl_pipe,\
    jpegxl_anim,av1";
/// Those that addresses have besides: streams of the named host, and single pictures by their name.
const ADDRESS_FORMATS: &str = "mpjpeg,rtsp,image2";

/// Longest address that is sent on; a pipe takes so much and more at once.
const ADDRESS_MAX_BYTES: usize = 8 << 10;

/// The arguments of an FFmpeg program, what it inherits, and what it must not tell.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(super) words: Vec<OsString>,
    pub(super) files: Vec<OwnedFd>,
    pub(super) secrets: Vec<Secret>,
}

impl Arguments {
    /// Adds words.
    pub fn add<W: Into<OsString>>(&mut self, words: impl IntoIterator<Item = W>) {
        self.words.extend(words.into_iter().map(Into::into));
    }

    /// Adds an input with all that it may open. Options for reading it go before.
    ///
    /// # Errors
    /// For a file as [`open_file`]; [`DeviceError::Unsupported`] for an address that cannot be one.
    pub fn add_input(&mut self, input: Input<'_>) -> Result<(), DeviceError> {
        match input {
            Input::File(path) => {
                let file = OwnedFd::from(open_file(path, "name a video or picture file")?);
                // What has no mark of its own at its beginning is known by its name.
                let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
                if extension == "mjpeg" || extension == "mjpg" {
                    self.add(["-f", "mjpeg"]);
                }
                self.add(["-protocol_whitelist", "file", "-format_whitelist", FORMATS]);
                self.add(["-i".to_owned(), format!("file:/proc/self/fd/{}", file.as_raw_fd())]);
                self.files.push(file);
            }
            Input::Pattern(path) => {
                self.add(["-protocol_whitelist", "file", "-f", "image2"]);
                self.add(["-pattern_type", "sequence", "-i"]);
                self.add([file_url(path)]);
            }
            Input::Address(address) => self.add_address(address)?,
            Input::OwnFrames => {
                // It need not be examined: the first picture is as large as FFmpeg would read.
                self.add(["-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"]);
                self.add(["-protocol_whitelist", "pipe", "-f", "matroska", "-i", "pipe:0"]);
            }
        }
        Ok(())
    }

    fn add_address(&mut self, address: &str) -> Result<(), DeviceError> {
        let shown = printable_address(address);
        let unsupported =
            |why: &str| DeviceError::Unsupported { what: shown.clone(), why: why.to_owned() };
        if address.len() > ADDRESS_MAX_BYTES || address.chars().any(char::is_control) {
            return Err(unsupported("it is no address; check how it is written"));
        }
        let list = list_of(address);
        let piped = io::pipe().and_then(|(reader, mut writer)| {
            writer.write_all(list.as_bytes())?;
            Ok(OwnedFd::from(reader))
        });
        let reader = piped.map_err(|source| DeviceError::Io {
            what: shown.clone(),
            doing: "making a pipe",
            source,
        })?;
        self.add(["-protocol_whitelist", "pipe", "-format_whitelist", "concat"]);
        self.add(["-f", "concat", "-safe", "0", "-i"]);
        self.add([format!("pipe:{}", reader.as_raw_fd())]);
        self.files.push(reader);
        let login = login_of(address).to_owned();
        self.secrets.push(Secret { text: address.to_owned(), instead: shown });
        if !login.is_empty() {
            self.secrets.push(Secret { text: login, instead: String::new() });
        }
        Ok(())
    }
}

/// The list of one address that FFmpeg's `concat` reads, with what may be opened for it.
fn list_of(address: &str) -> String {
    let scheme = address.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let protocols = match scheme.as_str() {
        "rtsp" => "rtsp,rtp,udp,tcp",
        "rtmp" | "rtmps" => "rtmp,rtmps,tcp,tls",
        _ => "http,https,httpproxy,tcp,tls",
    };
    // Without a length `concat` does not seek. It is believed by nobody.
    format!(
        "ffconcat version 1.0\n\
         file '{}'\n\
         duration 1000000\n\
         option protocol_whitelist {protocols}\n\
         option format_whitelist {FORMATS},{ADDRESS_FORMATS}\n\
         option pattern_type none\n",
        address.replace('\'', r"'\''")
    )
}

/// User and password of an address with the `@` behind them; empty without.
fn login_of(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("://") else { return "" };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rfind('@').map_or("", |at| &authority[..=at])
}

/// An address for people: without user, password and query, whatever characters are in it.
pub(crate) fn printable_address(address: &str) -> String {
    match address.split_once(':') {
        Some((scheme, rest)) => printable(&format!("{scheme}:{}", cut_address(rest))),
        None => printable(address),
    }
}

/// Opens a file that FFmpeg is to read, once it is known to be one and no list of others.
///
/// # Errors
/// [`DeviceError::NotFound`], [`DeviceError::Denied`], [`DeviceError::WrongKind`] if it is no file,
/// [`DeviceError::Unsupported`] if it is empty or a playlist; each tells `remedy`.
pub(crate) fn open_file(path: &Path, remedy: &str) -> Result<File, DeviceError> {
    let name = path.display().to_string();
    let failed = |error| not_opened(&name, remedy, error);
    // Looked at before it is opened, since opening a device may do something; and opened so that a
    // FIFO which is there a moment later does not wait for its writer.
    check_is_file(&name, fs::metadata(path).map_err(failed)?.file_type(), remedy)?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path);
    let file = opened.map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    check_is_file(&name, found.file_type(), remedy)?;
    let unsupported = |why: &str| DeviceError::Unsupported {
        what: name.clone(),
        why: format!("{why}; {remedy}"),
    };
    if found.len() == 0 {
        return Err(unsupported("it is empty"));
    }
    let mut head = [0; 512];
    let bytes = file.read_at(&mut head, 0).map_err(failed)?;
    if is_playlist(&head[..bytes]) {
        return Err(DeviceError::Unsupported { what: name, why: PLAYLIST.to_owned() });
    }
    Ok(file)
}

/// Whether a file with this beginning is a list of other files. For the right sentence only: FFmpeg
/// opens none, whatever it begins with.
fn is_playlist(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    ["#EXTM3U", "ffconcat version", "[playlist]", "<smil", "<asx", "<ASX"]
        .iter()
        .any(|mark| text.starts_with(mark))
        || text.starts_with('<') && text.contains("<MPD")
}

impl Arguments {
    /// Adds an open file that is written to from its beginning, whatever its name is by then; `shown` is what FFmpeg's
    /// messages call it.
    pub fn add_output(&mut self, file: OwnedFd, shown: &str) {
        let url = format!("file:/proc/self/fd/{}", file.as_raw_fd());
        self.add([url.clone()]);
        self.secrets.push(Secret { text: url, instead: shown.to_owned() });
        self.files.push(file);
    }
}

/// A file as FFmpeg is told of it: never an option (`-x.mp4`), never another protocol
/// (`concat:a`, `http://...`).
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn logins_are_not_shown() {
        for (address, shown) in [
            ("rtsp://me:secret@cam/x?a=b@c", "rtsp://cam/x?..."),
            ("http://a@b@c:80", "http://c:80"),
            ("http://cam/x@y", "http://cam/x@y"),
            ("http://me:a b\"/c@cam/x", "http://cam/x"),
        ] {
            assert_eq!(printable_address(address), shown);
        }
    }

    #[test]
    fn an_address_never_stands_in_the_arguments() {
        let mut arguments = Arguments::default();
        let address = "http://me:secret@127.0.0.1/a b'c.mp4?token=x";
        arguments.add_input(Input::Address(address)).unwrap();
        let words = format!("{:?}", arguments.words);
        assert!(!words.contains("secret") && !words.contains("127"), "{words}");
        let mut list = String::new();
        File::from(arguments.files.pop().unwrap()).read_to_string(&mut list).unwrap();
        assert!(
            list.contains("file 'http://me:secret@127.0.0.1/a b'\\''c.mp4?token=x'\n"),
            "{list}"
        );
        for not_one in ["http://a\nfile /etc/passwd", &format!("http://{}", "a".repeat(9000))] {
            assert!(Arguments::default().add_input(Input::Address(not_one)).is_err());
        }
    }

    #[test]
    fn playlists_are_known_by_their_beginning() {
        for list in [
            "#EXTM3U\n",
            "\u{feff}#EXTM3U",
            "ffconcat version 1.0\nfile a",
            "\n [playlist]\n",
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"x\">",
        ] {
            assert!(is_playlist(list.as_bytes()), "{list:?}");
        }
        for other in [&b"\0\0\0\x18ftypmp42"[..], b"\x1A\x45\xDF\xA3", b"YUV4MPEG2 W64", b"<svg>"] {
            assert!(!is_playlist(other));
        }
    }
}
