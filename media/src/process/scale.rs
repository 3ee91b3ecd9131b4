//! Changes a picture's size.
