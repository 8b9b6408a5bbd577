use std::fmt;

use greenroom_device::printable;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// An event on one line, whatever texts it carries: the level, in colour on a terminal, and the message.
pub(super) struct OneLine;

impl<S, N> FormatEvent<S, N> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        context.field_format().format_fields(Writer::new(&mut text), event)?;
        let level = *event.metadata().level();
        match writer.has_ansi_escapes() {
            true => write!(writer, "\x1b[{}m{level:>5}\x1b[0m", colour(level))?,
            false => write!(writer, "{level:>5}")?,
        }
        writeln!(writer, " {}", printable(&text))
    }
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(ansi: bool) -> String {
        let (kept, name) = (Kept::default(), "\x1b[2Jcam\nERROR all is lost\u{202e}");
        let to = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(ansi)
            .event_format(OneLine)
            .with_writer(move || to.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(node = name, "camera: {name} closed");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn foreign_texts_stay_on_their_line_and_command_no_terminal() {
        let line = logged(false);
        // (Escape itself is written by tracing already, in its own way.)
        let cam = "\\x1b[2Jcam\\nERROR all is lost\\u{202e}";
        assert!(line.starts_with(&format!(" WARN camera: {cam} closed")), "{line:?}");
        assert_eq!((line.matches('\n').count(), line.ends_with('\n')), (1, true), "{line:?}");
        assert!(!line.contains('\x1b') && !line.contains('\u{202e}'), "{line:?}");
    }

    /// Whoever logs an address need not think of it.
    #[test]
    fn addresses_are_without_secrets() {
        let kept = Kept::default();
        let to = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(OneLine)
            .with_writer(move || to.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(url = "http://h/?key=secret", "https://me:secret@h/ is deaf");
        });
        let line = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(line.contains("https://h/ is deaf") && !line.contains("secret"), "{line}");
    }

    #[test]
    fn on_a_terminal_only_the_level_is_coloured() {
        let line = logged(true);
        assert!(line.starts_with("\x1b[33m WARN\x1b[0m camera: "), "{line:?}");
        assert_eq!(line.matches('\x1b').count(), 2, "{line:?}");
    }
}
