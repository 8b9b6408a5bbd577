use std::time::Duration;

use greenroom_frame::SizePx;
use hyper::StatusCode;

/// Why a request gets no mask: a status, and one sentence for whoever wrote the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the body is empty; send one JPEG, PNG or WebP picture as the body of a POST")]
    Empty,
    #[error("the body broke off before its end; send the whole picture")]
    BodyBroken,
    #[error("the picture cannot be decoded ({0}); send a whole JPEG, PNG or WebP picture")]
    NotWhole(String),
    #[error("the body is neither JPEG nor PNG nor WebP; send one picture of these formats")]
    UnknownFormat,
    #[error(
        "the body is larger than {most_bytes} bytes; send a smaller or more compressed picture"
    )]
    BodyTooLarge { most_bytes: usize },
    #[error(
        "the picture of {size} pixels is too large; send at most {most_px} pixels, and no side \
         above {side}", side = SizePx::MAX_SIDE_PX
    )]
    PictureTooLarge { size: SizePx, most_px: u64 },
    #[error(
        "the {format} picture of {size} pixels takes too long to decode; send at most {most_px} \
         pixels in this format, or a JPEG as cameras make it"
    )]
    TooMuchWork { format: &'static str, size: SizePx, most_px: u64 },
    #[error(
        "the picture of {size} pixels comes in {bytes} bytes, which no camera's does; send at most \
         {most_px} pixels in so few"
    )]
    TooFewBytes { size: SizePx, bytes: usize, most_px: u64 },
    #[error("the picture takes too much memory to decode; send it with 8 bits a channel")]
    TooDeep,
    #[error("the body did not come within {} seconds; send it faster", .0.as_secs_f32())]
    TooSlow(Duration),
    #[error("there is more to do than can be done in time; send fewer pictures")]
    Busy,
    #[error("all {0} connections are in use; try again in a second")]
    Full(usize),
    #[error("your address has {0} connections in use, and gets no more; try again in a second")]
    ShareTaken(usize),
    #[error(
        "requests of web pages are not answered; send the picture without the headers Origin and \
         Sec-Fetch-Site"
    )]
    WebPage,
    #[error(
        "\"{0}\" is not a name of this machine; ask for localhost or 127.0.0.1 in the header Host"
    )]
    OtherHost(String),
    #[error("the network failed on this picture; its server's log tells why")]
    Failed,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::Empty | Refusal::BodyBroken | Refusal::NotWhole(_) => StatusCode::BAD_REQUEST,
            Refusal::UnknownFormat => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::BodyTooLarge { .. }
            | Refusal::PictureTooLarge { .. }
            | Refusal::TooMuchWork { .. }
            | Refusal::TooFewBytes { .. }
            | Refusal::TooDeep => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Refusal::Busy | Refusal::Full(_) | Refusal::ShareTaken(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Refusal::WebPage => StatusCode::FORBIDDEN,
            Refusal::OtherHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether this is a client that takes more than its share or a web page, which whoever runs the server
    /// should know of; a picture that is none is its sender's business alone.
    pub(super) fn is_abuse(&self) -> bool {
        matches!(
            self,
            Refusal::BodyTooLarge { .. }
                | Refusal::PictureTooLarge { .. }
                | Refusal::TooMuchWork { .. }
                | Refusal::TooFewBytes { .. }
                | Refusal::TooDeep
                | Refusal::TooSlow(_)
                | Refusal::Busy
                | Refusal::Full(_)
                | Refusal::ShareTaken(_)
                | Refusal::WebPage
                | Refusal::OtherHost(_)
        )
    }
}
