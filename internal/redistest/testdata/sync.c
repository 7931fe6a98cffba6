// Loaded into a redis-server (LD_PRELOAD) by Disk in ../disk.go: a disk whose sync
// takes a while, and a note of how much of the append-only file it has.
//
// JOUTE_SYNC_MICROS  how long a sync of an appended file takes longer
// JOUTE_SYNC_NOTE    file: inode and size of what was last synced

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static useconds_t takes;
static int note = -1;

__attribute__((constructor)) static void begin(void) {
  const char *micros = getenv("JOUTE_SYNC_MICROS"), *path = getenv("JOUTE_SYNC_NOTE");
  if (micros) takes = (useconds_t)strtoul(micros, NULL, 10);
  if (path) note = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

int fdatasync(int fd) {
  struct stat file;
  int flags = fcntl(fd, F_GETFL);
  // Redis opens increments to append, and nothing else that it syncs.
  int appended = flags >= 0 && (flags & O_APPEND) && fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
  if (appended && takes) usleep(takes);
  int failed = (int)syscall(SYS_fdatasync, fd);
  if (!failed && appended && note >= 0) {
    char synced[64]; // the size before: what came meanwhile may not be on the disk
    int n = snprintf(synced, sizeof synced, "%20llu %20llu\n", (unsigned long long)file.st_ino, (unsigned long long)file.st_size);
    if (pwrite(note, synced, n, 0) != n) abort();
  }
  return failed;
}
