//! Cedar: who may request, who may approve, and which obligations follow.
