//! What a device can be asked: classes, the head, counters.

use std::io::{Read, Write};

use sudal_firmware::device::Boots;
use sudal_firmware::heads::Head;
use sudal_firmware::protocol::{self, Check, Request, Response, Stats};

use super::super::answers::{Class, Embedding, Enrolled, Info, Verdict};
use super::super::name::{self, name};
use super::answers::{done, enrolled, head};
use super::{Client, ClientError};

impl<S: Read + Write> Client<S> {
    /// Who are you?
    ///
    /// # Errors
    /// [`ClientError::Version`] when the device speaks another version of the protocol.
    pub fn info(&mut self) -> Result<Info, ClientError> {
        let info = self.call("info", &Request::Info, |response| match response {
            Response::Info(info) => Some(Info::from(info)),
            _ => None,
        })?;
        if info.protocol != protocol::VERSION {
            return Err(ClientError::Version {
                device: info.protocol,
            });
        }
        Ok(info)
    }

    /// Takes a picture and embeds it.
    ///
    /// # Errors
    /// That there is no picture or no model.
    pub fn embed(&mut self) -> Result<Embedding, ClientError> {
        self.call("embed", &Request::Embed, |response| match response {
            Response::Embedding { values, ticks } => Some(Embedding {
                values: bytemuck::cast_slice(values).to_vec(),
                ticks,
            }),
            _ => None,
        })
    }

    /// Takes a picture and names its class.
    ///
    /// # Errors
    /// That there is no picture, no model, or that nothing was enrolled with it.
    pub fn classify(&mut self) -> Result<Verdict, ClientError> {
        self.call("classify", &Request::Classify, |response| match response {
            Response::Classified(verdict) => Some(verdict.into()),
            _ => None,
        })
    }

    /// Takes a picture and adds it as a shot to a class, which is made if there is none. A picture that
    /// does not fit the class's other shots is refused.
    ///
    /// # Errors
    /// That there is no picture or no model, that the store is full, or a
    /// [`DecisionError::Outlier`](protocol::DecisionError::Outlier).
    pub fn enroll(&mut self, name: &str) -> Result<Enrolled, ClientError> {
        self.enroll_shot(name, false)
    }

    /// The same, whatever the picture shows.
    ///
    /// # Errors
    /// As [`enroll`](Self::enroll), but for the outlier.
    pub fn enroll_forced(&mut self, name: &str) -> Result<Enrolled, ClientError> {
        self.enroll_shot(name, true)
    }

    fn enroll_shot(&mut self, text: &str, force: bool) -> Result<Enrolled, ClientError> {
        let name = &name(text)?;
        self.call("enroll", &Request::Enroll { name, force }, enrolled)
    }

    /// All enrolled classes, those of other models included, by id.
    ///
    /// # Errors
    /// That the store can't be used.
    pub fn list(&mut self) -> Result<Vec<Class>, ClientError> {
        let mut classes = Vec::new();
        loop {
            let skip = classes.len() as u8;
            let (total, page) =
                self.call("list", &Request::List { skip }, |response| match response {
                    Response::Classes { total, page } => Some((
                        usize::from(total),
                        page.iter().map(Class::from).collect::<Vec<_>>(),
                    )),
                    _ => None,
                })?;
            let done = page.is_empty();
            classes.extend(page);
            if done || classes.len() >= total {
                return Ok(classes);
            }
        }
    }

    /// The id of the class with this name, however it is written; one of the present model comes
    /// first.
    ///
    /// # Errors
    /// [`ClientError::NoSuchClass`], with the names that there are.
    pub fn find(&mut self, name: &str) -> Result<u8, ClientError> {
        let model = self.info()?.model.ok().map(|model| model.id);
        let classes = self.list()?;
        classes
            .iter()
            .filter(|class| name::is_same(&class.name, name))
            .min_by_key(|class| (Some(class.model) != model, class.name != name))
            .map(|class| class.id)
            .ok_or_else(|| ClientError::NoSuchClass {
                name: name.to_owned(),
                enrolled: if classes.is_empty() {
                    "none".to_owned()
                } else {
                    let names: Vec<_> = classes.into_iter().map(|class| class.name).collect();
                    names.join(", ")
                },
            })
    }

    /// Gives a class another name.
    ///
    /// # Errors
    /// That there is no such class, or the name is taken, empty or too long.
    pub fn rename(&mut self, id: u8, to: &str) -> Result<(), ClientError> {
        let name = &name(to)?;
        self.call("rename", &Request::Rename { id, name }, done)
    }

    /// Forgets a class.
    ///
    /// # Errors
    /// That there is no such class.
    pub fn remove(&mut self, id: u8) -> Result<(), ClientError> {
        self.call("remove", &Request::Remove { id }, done)
    }

    /// Forgets all classes; a store that can't be read is made new.
    ///
    /// # Errors
    /// That the flash failed.
    pub fn reset(&mut self) -> Result<(), ClientError> {
        self.call("reset", &Request::Reset, done)
    }

    /// Counters since the device was switched on.
    ///
    /// # Errors
    /// That the device does not answer.
    pub fn stats(&mut self) -> Result<Stats, ClientError> {
        self.call("stats", &Request::Stats, |response| match response {
            Response::Stats(stats) => Some(stats),
            _ => None,
        })
    }

    /// The head that classifies.
    ///
    /// # Errors
    /// That the store can't be used.
    pub fn head(&mut self) -> Result<Head, ClientError> {
        self.call("head", &Request::Head { choose: None }, head)
    }

    /// Chooses the head; the device keeps the choice.
    ///
    /// # Errors
    /// That the store can't be used.
    pub fn set_head(&mut self, choose: Head) -> Result<(), ClientError> {
        let choose = Some(choose);
        self.call("head", &Request::Head { choose }, head)
            .map(|_| ())
    }

    /// How often the device was started, why, and its last failure, which `clear` forgets.
    ///
    /// # Errors
    /// [`DeviceError::NoHistory`](sudal_firmware::protocol::DeviceError::NoHistory) if the device keeps no record.
    pub fn boots(&mut self, clear: bool) -> Result<Boots, ClientError> {
        self.call(
            "boots",
            &Request::Boots { clear },
            |response| match response {
                Response::Boots(boots) => Some(boots),
                _ => None,
            },
        )
    }

    /// Has the device check a part of itself: the ticks of its clock that it took.
    ///
    /// # Errors
    /// What is wrong with the part, or that the device has none such.
    pub fn check(&mut self, part: Check) -> Result<u32, ClientError> {
        self.call("check", &Request::Check(part), |response| match response {
            Response::Checked { ticks } => Some(ticks),
            _ => None,
        })
    }
}
