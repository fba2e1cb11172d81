/* The program's own words: one line each, to stderr. */
#include "executor.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 1024 };

static char because[LONGEST];

static void write_line(const char *format, va_list values)
{
    char line[LONGEST + 1];
    int length = vsnprintf(line, LONGEST, format, values);
    if (length < 0)
        return;
    size_t size = length < LONGEST ? (size_t)length : LONGEST - 1;
    for (size_t at = 0; at < size; at++)
        if ((unsigned char)line[at] < ' ' || line[at] == 0x7f)
            line[at] = '?';
    line[size++] = '\n';
    while (write(STDERR_FILENO, line, size) < 0 && errno == EINTR)
        ;
}

void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_line(format, values);
    va_end(values);
}

void leave(int code, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_line(format, values);
    va_end(values);
    exit(code);
}

bool refuse(const char *format, ...)
{
    char words[LONGEST];
    va_list values;
    va_start(values, format);
    vsnprintf(words, sizeof words, format, values);
    va_end(values);
    memcpy(because, words, sizeof because);
    return false;
}

const char *why(void)
{
    return because;
}

const char *reason(int error)
{
    static char words[128];
    snprintf(words, sizeof words, "%s", strerror(error));
    words[0] = (char)tolower((unsigned char)words[0]);
    return words;
}

char *text(const char *format, ...)
{
    char *made = NULL;
    va_list values;
    va_start(values, format);
    int length = vasprintf(&made, format, values);
    va_end(values);
    if (length < 0)
        leave(CANNOT_BECOME, "out of memory");
    return made;
}
