/*
 * The command, from its start to its end.
 *
 * It writes where the caller listens, by itself. What it is to read is fed to it while it runs, so
 * that neither waits for the other; every signal that comes here goes to all that it has started.
 */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ, WRITE };

/* The input that is still to be fed, and the pipe that it goes into; -1: none. */
struct feed {
    int pipe;
    const char *left;
    size_t size;
};

/* End this process, the command's, and tell the other why nothing runs. */
static _Noreturn void give_up(int report)
{
    int error = errno;
    while (write(report, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(COMMAND_FAILED);
}

/* Leave the caller's keys, such as his tickets of Kerberos, where the kernel has any. */
static bool leave_keys(void)
{
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS ||
           errno == EPERM;
}

/* Be the command. It ends with whoever started it, and can gain no rights by what it runs. */
static _Noreturn void be_command(const struct command *command, const struct account *user,
                                 pid_t parent, int input, int report)
{
    sigset_t none;
    sigemptyset(&none);
    setsid();
    hand_on_three_descriptors();
    if (!be_wholly(user) || !leave_keys() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        (input >= 0 && dup2(input, STDIN_FILENO) < 0) || sigprocmask(SIG_SETMASK, &none, NULL) != 0)
        give_up(report);
    execve(command->path, command->argv, command->environ);
    give_up(report);
}

/* Wait until the command runs, or leave with the reason why it does not. */
static void await_start(int report, const char *name)
{
    int error;
    ssize_t size;
    while ((size = read(report, &error, sizeof error)) < 0 && errno == EINTR)
        ;
    if (size == sizeof error)
        leave(COMMAND_FAILED, "fork/exec %s: %s", name, reason(error));
    close(report);
}

/* Write what the pipe takes; after the last byte, or where nobody reads on, close it. */
static void feed(struct feed *feed)
{
    ssize_t written = feed->size == 0 ? 0 : write(feed->pipe, feed->left, feed->size);
    if (written < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    feed->size = written < 0 ? 0 : feed->size - (size_t)written;
    feed->left += written < 0 ? 0 : written;
    if (feed->size > 0)
        return;
    close(feed->pipe);
    feed->pipe = -1;
}

/* Hand a signal on, and return whether the command has ended. */
static bool hear(int signals, pid_t child, int *status)
{
    struct signalfd_siginfo heard;
    if (read(signals, &heard, sizeof heard) != sizeof heard)
        return false;
    if (heard.ssi_signo == SIGCHLD)
        return waitpid(child, status, WNOHANG) == child;
    if (heard.ssi_signo != SIGPIPE)
        kill(-child, (int)heard.ssi_signo);
    return false;
}

static int await_end(pid_t child, int signals, struct feed input)
{
    int status;
    for (;;) {
        struct pollfd watched[] = {{signals, POLLIN, 0}, {input.pipe, POLLOUT, 0}};
        if (poll(watched, 2, -1) < 0 && errno != EINTR)
            leave(COMMAND_FAILED, "poll: %s", reason(errno));
        if (watched[1].revents != 0)
            feed(&input);
        if (watched[0].revents != 0 && hear(signals, child, &status))
            return status;
    }
}

int run(const struct command *command, const struct account *user)
{
    sigset_t all;
    int report[2], input[2] = {-1, -1};
    pid_t parent = getpid();
    sigfillset(&all);
    int signals = signalfd(-1, &all, 0);
    if (command->dir != NULL && chdir(command->dir) != 0)
        leave(COMMAND_FAILED, "chdir %s: %s", command->dir, reason(errno));
    if (signals < 0 || sigprocmask(SIG_SETMASK, &all, NULL) != 0 || pipe(report) != 0 ||
        (command->input != NULL && pipe(input) != 0))
        leave(COMMAND_FAILED, "pipe: %s", reason(errno));
    pid_t child = fork();
    if (child < 0)
        leave(COMMAND_FAILED, "fork: %s", reason(errno));
    if (child == 0)
        be_command(command, user, parent, input[READ], report[WRITE]);
    close(report[WRITE]);
    await_start(report[READ], command->argv[0]);
    struct feed left = {input[WRITE], command->input, 0};
    if (command->input != NULL) {
        left.size = strlen(command->input);
        close(input[READ]);
        fcntl(input[WRITE], F_SETFL, O_NONBLOCK);
    }
    return await_end(child, signals, left);
}
