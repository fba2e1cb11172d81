/* Keeps a server on this machine: a socket that would listen on every address listens on loopback.
 *
 * slurmdbd and slurmd have no setting for the address they bind to.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int bind(int descriptor, const struct sockaddr *address, socklen_t size)
{
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in local;

    if (address->sa_family == AF_INET && size >= sizeof local) {
        memcpy(&local, address, sizeof local);
        if (local.sin_addr.s_addr == htonl(INADDR_ANY)) {
            local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return next(descriptor, (struct sockaddr *)&local, sizeof local);
        }
    }
    return next(descriptor, address, size);
}
