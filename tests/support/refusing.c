/* Locks and shared memory that a disk does not have, played beneath a process (LD_PRELOAD): the error numbers in the
 * environment variables REFUSED_FCNTL, REFUSED_FLOCK and REFUSED_MMAP are what the system answers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

static int refused(const char *name) {
    const char *number = getenv(name);
    if (number) errno = atoi(number);
    return number != NULL;
}

static int locked(int file, int command, void *argument) {
    static int (*real)(int, int, ...);
    if (!real) real = dlsym(RTLD_NEXT, "fcntl64");
    int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;
    return locks && refused("REFUSED_FCNTL") ? -1 : real(file, command, argument);
}

#define LOCKED(name) \
    int name(int file, int command, ...) { \
        va_list rest; \
        va_start(rest, command); \
        void *argument = va_arg(rest, void *); \
        va_end(rest); \
        return locked(file, command, argument); \
    }
LOCKED(fcntl)
LOCKED(fcntl64)

int flock(int file, int operation) {
    static int (*real)(int, int);
    if (!real) real = dlsym(RTLD_NEXT, "flock");
    return refused("REFUSED_FLOCK") ? -1 : real(file, operation);
}

#define MAPPED(name) \
    void *name(void *at, size_t bytes, int protection, int flags, int file, off_t from) { \
        static void *(*real)(void *, size_t, int, int, int, off_t); \
        if (!real) real = dlsym(RTLD_NEXT, "mmap"); \
        int shared = file >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE); \
        return shared && refused("REFUSED_MMAP") ? MAP_FAILED : real(at, bytes, protection, flags, file, from); \
    }
MAPPED(mmap)
MAPPED(mmap64)
