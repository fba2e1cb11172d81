/*
 * The request of --stdin: one JSON object of texts, and of one list of texts.
 *
 * Nothing is nested deeper, so nothing here calls itself. Texts are unescaped where they stand:
 * none grows by that, and its closing quote leaves room for the NUL. What is not understood is
 * refused.
 */
#include "executor.h"

#include <string.h>

struct reader {
    unsigned char *at, *end;
};

enum key { USER, COMMAND, ARGS, DIR, INPUT, KEYS };

static const char *const NAMES[KEYS] = {"user", "command", "args", "dir", "stdin"};

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

/* Take a sign, if it is next. */
static bool take(struct reader *reader, unsigned char sign)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != sign)
        return false;
    reader->at++;
    return true;
}

static bool take_null(struct reader *reader)
{
    skip_blanks(reader);
    if (reader->end - reader->at < 4 || memcmp(reader->at, "null", 4) != 0)
        return false;
    reader->at += 4;
    return true;
}

/* Return how many bytes the UTF-8 character at `at` has; 0 where there is none, or a control. */
static size_t character(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    if (first < 0x80)
        return first < ' ' ? 0 : 1;
    size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t each = 1; each < size; each++)
        if ((at[each] & 0xc0) != 0x80)
            return 0;
    bool is_spelt_too_long = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    bool is_half_of_a_pair = first == 0xed && at[1] > 0x9f;
    bool is_beyond_the_last = first == 0xf4 && at[1] > 0x8f;
    return is_spelt_too_long || is_half_of_a_pair || is_beyond_the_last ? 0 : size;
}

static bool read_hex(struct reader *reader, unsigned *code)
{
    *code = 0;
    if (reader->end - reader->at < 4)
        return refuse("\\u has four digits");
    for (int each = 0; each < 4; each++) {
        unsigned char sign = *reader->at++;
        unsigned digit;
        if (sign >= '0' && sign <= '9')
            digit = sign - '0';
        else if ((sign | 0x20) >= 'a' && (sign | 0x20) <= 'f')
            digit = (sign | 0x20) - 'a' + 10u;
        else
            return refuse("\\u has four digits");
        *code = *code * 16 + digit;
    }
    return true;
}

/* Read what follows \u, and the second half of a pair. */
static bool read_code(struct reader *reader, unsigned *code)
{
    unsigned second;
    if (!read_hex(reader, code))
        return false;
    if (*code == 0)
        return refuse("a text holds no NUL");
    if (*code < 0xd800 || *code > 0xdfff)
        return true;
    if (*code > 0xdbff || reader->end - reader->at < 2 || memcmp(reader->at, "\\u", 2) != 0)
        return refuse("half of a pair of \\u stands alone");
    reader->at += 2;
    if (!read_hex(reader, &second))
        return false;
    if (second < 0xdc00 || second > 0xdfff)
        return refuse("half of a pair of \\u stands alone");
    *code = 0x10000 + ((*code - 0xd800) << 10) + (second - 0xdc00);
    return true;
}

static unsigned char *write_code(unsigned char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (unsigned char)code;
    } else if (code < 0x800) {
        *to++ = (unsigned char)(0xc0 | code >> 6);
        *to++ = (unsigned char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (unsigned char)(0xe0 | code >> 12);
        *to++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (unsigned char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (unsigned char)(0xf0 | code >> 18);
        *to++ = (unsigned char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (unsigned char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* Read what follows a backslash and write what it stands for. */
static bool read_escape(struct reader *reader, unsigned char **to)
{
    static const char SIGNS[] = "\"\\/bfnrt", MEANT[] = "\"\\/\b\f\n\r\t";
    unsigned code;
    if (reader->at == reader->end)
        return refuse("a text does not end");
    unsigned char sign = *reader->at++;
    if (sign == 'u') {
        if (!read_code(reader, &code))
            return false;
        *to = write_code(*to, code);
        return true;
    }
    const char *found = sign == '\0' ? NULL : strchr(SIGNS, sign);
    if (found == NULL)
        return refuse("there is no such escape");
    *(*to)++ = (unsigned char)MEANT[found - SIGNS];
    return true;
}

static bool read_text(struct reader *reader, char **read)
{
    if (!take(reader, '"'))
        return refuse("a text is expected");
    unsigned char *to = reader->at;
    *read = (char *)to;
    while (reader->at < reader->end && *reader->at != '"') {
        if (*reader->at == '\\') {
            reader->at++;
            if (!read_escape(reader, &to))
                return false;
            continue;
        }
        size_t size = character(reader->at, (size_t)(reader->end - reader->at));
        if (size == 0)
            return refuse("a text holds a control that is not escaped, or no UTF-8");
        memmove(to, reader->at, size);
        to += size;
        reader->at += size;
    }
    if (reader->at == reader->end)
        return refuse("a text does not end");
    reader->at++;
    *to = '\0';
    return true;
}

/* Read the list of arguments; where there are none, some write null. */
static bool read_args(struct reader *reader, struct request *request)
{
    if (take_null(reader))
        return true;
    if (!take(reader, '['))
        return refuse("args is a list of texts");
    if (take(reader, ']'))
        return true;
    do {
        if (request->count == MOST_ARGS)
            return refuse("there are too many args");
        if (!read_text(reader, &request->args[request->count++]))
            return false;
    } while (take(reader, ','));
    return take(reader, ']') || refuse("the list of args does not end");
}

static bool read_value(struct reader *reader, enum key key, struct request *request)
{
    char **const texts[KEYS] = {&request->user, &request->command, NULL, &request->dir,
                                &request->input};
    return key == ARGS ? read_args(reader, request) : read_text(reader, texts[key]);
}

static bool read_pair(struct reader *reader, bool seen[KEYS], struct request *request)
{
    char *name;
    int key = 0;
    if (!read_text(reader, &name))
        return false;
    while (key < KEYS && strcmp(name, NAMES[key]) != 0)
        key++;
    if (key == KEYS)
        return refuse("its keys are user, command, args, dir and stdin");
    if (seen[key])
        return refuse("a key is there twice");
    seen[key] = true;
    if (!take(reader, ':'))
        return refuse("a key has a value");
    return read_value(reader, (enum key)key, request);
}

static bool read_object(struct reader *reader, struct request *request)
{
    bool seen[KEYS] = {false};
    if (!take(reader, '{'))
        return refuse("an object is expected");
    do {
        if (!read_pair(reader, seen, request))
            return false;
    } while (take(reader, ','));
    if (!take(reader, '}'))
        return refuse("the object does not end");
    if (!seen[USER] || !seen[COMMAND])
        return refuse("user and command must be there");
    skip_blanks(reader);
    return reader->at == reader->end || refuse("something follows the object");
}

bool read_request(char *json, size_t size, struct request *request)
{
    struct reader reader = {(unsigned char *)json, (unsigned char *)json + size};
    memset(request, 0, sizeof *request);
    return read_object(&reader, request);
}
