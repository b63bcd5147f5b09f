//! `/microphone`, in a browser whose microphone plays a file.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::bare::desk_with_voice_activity;
use crate::desk::Desk;
use crate::server::{PATIENCE, Server, analysed, channels, key, said_by};

/// Browsers that speak the DevTools protocol.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Between looks at the page.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A browser with one page, driven by the DevTools protocol.
struct Browser {
    child: Child,
    page: WebSocket<TcpStream>,
    n_asked: u64,
}

impl Browser {
    /// `None` where there is no browser.
    fn start(desk: &Desk, microphone: &Path, more: &[&str]) -> Option<Self> {
        let profile = desk.path("browser");
        let sound = format!("--use-file-for-fake-audio-capture={}", microphone.display());
        let started = BROWSERS.iter().find_map(|browser| {
            let mut command = Command::new(browser);
            command
                .args([
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                ])
                .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
                .args(["--use-fake-device-for-media-stream", &sound])
                .args(more)
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg("about:blank")
                .env("HOME", desk.path("home"))
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().ok()
        });
        let Some(child) = started else {
            println!("skipped: there is no browser (Debian's package is `chromium`)");
            return None;
        };
        // It writes its port there once it listens.
        let port = profile.join("DevToolsActivePort");
        let port = until(|| {
            let text = fs::read_to_string(&port).ok()?;
            text.lines().next()?.parse::<u16>().ok()
        });
        let address = until(|| page_address(port));
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (page, _) = client(address, stream).unwrap();
        Some(Self {
            child,
            page,
            n_asked: 0,
        })
    }

    /// Calls a method of the protocol.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.n_asked += 1;
        let ask = json!({"id": self.n_asked, "method": method, "params": params});
        self.page.send(Message::text(ask.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.page.read().unwrap() else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == self.n_asked {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page, and waits for it.
    fn open(&mut self, address: &str) {
        self.ask("Page.navigate", json!({"url": address}));
        until(|| {
            self.text("document.readyState === 'complete' && location.href")
                .filter(|at| at == address)
        });
    }

    /// What a script gives, where it is text that is not empty.
    fn text(&mut self, script: &str) -> Option<String> {
        let params = json!({"expression": script, "userGesture": true});
        let answer = self.ask("Runtime.evaluate", params);
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        let text = answer["result"]["value"].as_str().unwrap_or_default();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn click(&mut self) {
        self.text("document.getElementById('button').click()");
    }

    /// A screen of this size, in points, and its colours.
    fn look_like(&mut self, width: u32, height: u32, scheme: &str) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", screen);
        let scheme = json!({"name": "prefers-color-scheme", "value": scheme});
        self.ask("Emulation.setEmulatedMedia", json!({"features": [scheme]}));
    }

    /// Keeps a picture of the page in the folder `AURICLE_SCREENSHOTS`, where there is one, for people to look at.
    fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("AURICLE_SCREENSHOTS") else {
            return;
        };
        let picture = self.ask("Page.captureScreenshot", json!({"format": "png"}));
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        fs::write(Path::new(&folder).join(name), picture).unwrap();
    }

    /// What the page says is wrong, once it does.
    fn error(&mut self) -> String {
        until(|| self.text("document.getElementById('error').textContent"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes in time.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "it never came");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Where the one page of the browser is driven.
fn page_address(port: u16) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let ask =
        format!("GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).ok()?;
    let (_, pages) = answer.split_once("\r\n\r\n")?;
    let pages: Value = serde_json::from_str(pages).ok()?;
    let mut pages = pages.as_array()?.iter();
    let page = pages.find(|page| page["type"] == "page")?;
    Some(page["webSocketDebuggerUrl"].as_str()?.to_owned())
}

/// What the agent of a call says, as a file that a browser takes for a microphone, with silence behind it: the browser plays it
/// again and again.
fn microphone(desk: &Desk, call: &str) -> std::path::PathBuf {
    let [mut samples, _] = channels(call);
    samples.extend([0; 16_000 * 5]);
    let n_bytes = samples.len() as u32;
    let head = [
        b"RIFF".as_slice(),
        &(36 + n_bytes).to_le_bytes(),
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &8_000_u32.to_le_bytes(),
        &16_000_u32.to_le_bytes(),
        &2_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &n_bytes.to_le_bytes(),
    ];
    desk.put("microphone.wav", [head.concat(), samples].concat())
}

#[test]
fn what_is_said_into_the_microphone_is_heard_and_shown() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let sound = microphone(&desk, "fixture-01");
    let Some(mut browser) = Browser::start(&desk, &sound, &["--use-fake-ui-for-media-stream"])
    else {
        return;
    };
    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    browser.open(&format!("http://{}/microphone", server.address));
    // The server wants a key: the page asks for one.
    assert!(browser.error().contains("wants a key"));
    browser.text("document.getElementById('key').value = 'other'");
    browser.click();
    until(|| {
        browser
            .text("document.getElementById('error').textContent")
            .filter(|error| error.contains("the key is not known"))
    });
    browser.text(&format!(
        "document.getElementById('key').value = '{integrator}'; ''"
    ));
    browser.click();
    until(|| browser.text("document.getElementById('partial').textContent"));
    let shown = until(|| browser.text("document.querySelector('#finals .words')?.textContent"));
    let level = browser.text("document.getElementById('level').style.transform");
    assert!(level.is_some_and(|level| level.starts_with("scaleX(0.")));
    let expected = analysed(&models, "fixture-01");
    // The sound was resampled twice: a word may be heard in another way.
    let wanted = &said_by(&expected, "agent")[0];
    let alike = wanted.chars().filter(|ch| shown.contains(*ch)).count();
    assert!(alike * 10 >= wanted.chars().count() * 7, "{shown} {wanted}");
    until(|| browser.text("document.querySelector('#alerts .alert .words')?.textContent"));
    for (width, height, scheme) in [(1280, 900, "light"), (360, 740, "dark")] {
        browser.look_like(width, height, scheme);
        browser.picture(&format!("microphone-{scheme}.png"));
        let overflow = "document.documentElement.scrollWidth > innerWidth ? 'too wide' : ''";
        assert_eq!(browser.text(overflow), None, "{width}");
    }
    browser.click();
    let status = until(|| {
        let status = browser.text("document.getElementById('status').textContent");
        status.filter(|status| status.contains("saved as microphone-"))
    });
    let (_, call) = status.split_once("saved as ").unwrap();
    let (call, _) = call.split_once(':').unwrap();
    let saved = server.get(&format!("/api/v1/calls/{call}?key={integrator}"));
    assert_eq!(saved.0, 200, "{}", saved.1);
    let saved: Value = serde_json::from_str(&saved.1).unwrap();
    assert_eq!(said_by(&saved, "agent")[0], shown);
    server.stop();
}

#[test]
fn the_page_says_what_is_wrong() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let sound = microphone(&desk, "fixture-01");
    let refuse = "--deny-permission-prompts";
    let Some(mut browser) = Browser::start(&desk, &sound, &[refuse]) else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let (status, body) = server.get("/microphone");
    assert_eq!(status, 200);
    assert!(
        !body.contains("http-equiv") && !body.contains("src="),
        "one file"
    );
    browser.open(&format!("http://{}/microphone", server.address));
    browser.click();
    assert!(browser.error().contains("The microphone was refused"));
    server.stop();
    browser.click();
    until(|| {
        browser
            .text("document.getElementById('error').textContent")
            .filter(|error| error.contains("does not answer"))
    });
}
