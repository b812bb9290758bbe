//! The types of the API and of the bridge between the shell and the front end.
