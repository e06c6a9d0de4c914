//! The documents: what they link to is there, what they tell to type works.

mod commands;
mod licences;
mod links;
mod markdown;
mod models;
mod protocol;
mod tables;
