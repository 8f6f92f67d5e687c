// The main program of the tests, for Catch2 2 (version 3 brings its own).
#define CATCH_CONFIG_MAIN
#include "tests/catch.hpp"
