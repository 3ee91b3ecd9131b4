//! The only unsafe code of the house: thin safe types around C interfaces.
//!
//! Each type owns its C object, keeps the rules of the library's documentation in its methods, and says in a `SAFETY`
//! comment at each block why the call is sound. Nothing outside this folder sees a raw pointer.
#![allow(unsafe_code)]
