/* Turns Nagle's algorithm off for every TCP socket of a process.
 *
 * Slurm writes a message to slurmdbd in two parts, so each one waits for a delayed ACK. That is
 * what production sites live with; tests that do not measure time need not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int without_delay(int descriptor)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int on = 1;

    if (descriptor >= 0 && getsockname(descriptor, (struct sockaddr *)&name, &size) == 0 &&
        (name.ss_family == AF_INET || name.ss_family == AF_INET6))
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

int socket(int domain, int type, int protocol)
{
    int (*next)(int, int, int) = dlsym(RTLD_NEXT, "socket");
    return without_delay(next(domain, type, protocol));
}

int accept(int listener, struct sockaddr *peer, socklen_t *size)
{
    int (*next)(int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "accept");
    return without_delay(next(listener, peer, size));
}

int accept4(int listener, struct sockaddr *peer, socklen_t *size, int flags)
{
    int (*next)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    return without_delay(next(listener, peer, size, flags));
}
