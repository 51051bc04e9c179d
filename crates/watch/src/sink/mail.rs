//! E-mail through an SMTP server.

use std::path::Path;

use lettre::{
    Message as Mail, SmtpTransport, Transport,
    message::{Mailbox, header::ContentType},
    transport::smtp::authentication::Credentials,
};

use super::{
    Message, Sink, SinkError, in_words,
    settings::{MailSettings, SettingsError, Tls, duration, secret},
};

/// Sends each alert as an e-mail of its own: in words, and its JSON below. The `Message-ID` has the alert's id.
pub(super) struct MailSink {
    name: String,
    server: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    transport: SmtpTransport,
}

impl MailSink {
    pub(super) fn open(
        name: &str,
        settings: &MailSettings,
        dir: &Path,
    ) -> Result<Self, SettingsError> {
        let mailbox = |text: &String| {
            text.parse::<Mailbox>().map_err(|error| {
                SettingsError::new(name, format_args!("'{text}' is no e-mail address: {error}"))
            })
        };
        let server = settings.server.as_str();
        let builder = match settings.tls {
            Tls::Implicit => SmtpTransport::relay(server),
            Tls::Starttls => SmtpTransport::starttls_relay(server),
            Tls::None if is_loopback(server) => Ok(SmtpTransport::builder_dangerous(server)),
            Tls::None => {
                return Err(SettingsError::new(
                    name,
                    "`tls = \"none\"` is for a server on this machine: use implicit or starttls",
                ));
            }
        };
        let mut builder = builder.map_err(|error| SettingsError::new(name, error))?;
        if let Some(port) = settings.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(file)) = (&settings.username, &settings.password_file) {
            let password = secret(name, dir, file)?;
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            name: name.to_owned(),
            server: settings.server.clone(),
            from: mailbox(&settings.from)?,
            to: settings.to.iter().map(mailbox).collect::<Result<_, _>>()?,
            transport: builder.timeout(Some(duration(settings.timeout_seconds))).build(),
        })
    }
}

fn is_loopback(server: &str) -> bool {
    server == "localhost"
        || server.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Sink for MailSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        let words = in_words(message.body);
        let subject: String = words.lines().next().unwrap_or_default().chars().take(180).collect();
        let mut mail = Mail::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}@chainhound>", message.id)))
            .subject(format!("[chainhound] {subject}"));
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let text = format!("{words}\n\n{}\n", message.body);
        let mail = mail
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| SinkError::new(format!("no e-mail can be made of it: {error}")))?;
        match self.transport.send(&mail) {
            Ok(_) => Ok(()),
            Err(error) => Err(SinkError::new(format!("{}: {error}", self.server))),
        }
    }
}
