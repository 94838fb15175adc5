//! As much of HTTP as a scripted model needs, so that it can also break it.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The end of an answer in chunks.
pub(super) const LAST: &[u8] = b"0\r\n\r\n";
/// Longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// As they came, with names in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The next request; nothing, if the other side has ended.
pub(super) async fn read(
    stream: &mut TcpStream,
    unread: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if more(stream, unread).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(unread.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| format!("{}: {}", name.to_ascii_lowercase(), value.trim()))
        .collect();
    let (method, path) = (method.to_owned(), path.to_owned());
    unread.drain(..end + 4);
    let mut request = Request { method, path, headers, body: Vec::new() };
    if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        while let Some(part) = one_chunk(stream, unread).await? {
            request.body.extend(part);
        }
    } else {
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        request.body = take(stream, unread, length.unwrap_or(0)).await?;
    }
    Ok(Some(request))
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<usize> {
    if unread.len() > REQUEST_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    unread.reserve(16 * 1024);
    stream.read_buf(unread).await
}

async fn take(stream: &mut TcpStream, unread: &mut Vec<u8>, length: usize) -> io::Result<Vec<u8>> {
    while unread.len() < length {
        if more(stream, unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(unread.drain(..length).collect())
}

async fn one_chunk(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let end = loop {
        if let Some(end) = unread.windows(2).position(|window| window == b"\r\n") {
            break end;
        }
        if more(stream, unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let line = String::from_utf8_lossy(unread.get(..end).unwrap_or_default()).into_owned();
    let length = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
    let length = length.map_err(io::Error::other)?;
    unread.drain(..end + 2);
    let mut part = take(stream, unread, length + 2).await?;
    part.truncate(length);
    Ok((length > 0).then_some(part))
}

/// The head of an answer in chunks.
pub(super) fn head(status: u16, kind: &str) -> String {
    format!("HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n")
}

/// One chunk.
pub(super) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// An answer that comes at once. Line ends in values of headers are taken out.
pub(super) fn whole(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.extend([*name, ": ", &value.replace('\n', " "), "\r\n"]);
    }
    text.push_str("\r\n");
    let mut answer = text.into_bytes();
    answer.extend_from_slice(body);
    answer
}
