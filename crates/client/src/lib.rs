//! The desktop's controller, generic over its integration; runs headless in tests.
