// Every test-<folder> program.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <sys/stat.h>

int main(int argc, char** argv) {
  ::umask(022);  // some accounts let their group write, and directories like that are refused
  return doctest::Context(argc, argv).run();
}
