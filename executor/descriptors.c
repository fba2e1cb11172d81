/* Descriptors: only the first three come in, and only they go out. */
#include "executor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char OPEN[] = "/proc/self/fd";

/* Do it to each one that is open, whatever its number and the limit, but for the first three. */
static void to_each(void (*act)(int))
{
    DIR *open = opendir(OPEN);
    if (open == NULL)
        leave(CANNOT_BECOME, "%s: %s", OPEN, reason(errno));
    for (struct dirent *each; (each = readdir(open)) != NULL;) {
        int descriptor = atoi(each->d_name);
        if (descriptor > STDERR_FILENO && descriptor != dirfd(open))
            act(descriptor);
    }
    closedir(open);
}

static void close_it(int descriptor)
{
    close(descriptor);
}

static void close_it_on_exec(int descriptor)
{
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

void keep_three_descriptors(void)
{
    int opened = 0;
    while (opened <= STDERR_FILENO)
        if ((opened = open("/dev/null", O_RDWR)) < 0)
            leave(CANNOT_BECOME, "/dev/null: %s", reason(errno));
    to_each(close_it);
}

void hand_on_three_descriptors(void)
{
    to_each(close_it_on_exec);
}
