/*
 * Reads many requests and lists, and says of each what the executor would have understood.
 *
 * Each comes as one letter (R or L), its size in four bytes, little end first, and its bytes; it is
 * read in memory of exactly its size, so that the sanitizers see each step beyond it.
 */
#include "executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *name, const char *read)
{
    printf(" %s=", name);
    if (read == NULL)
        printf("-");
    else
        for (const unsigned char *at = (const unsigned char *)read; *at != '\0'; at++)
            printf("%02x", *at);
}

static void show_request(char *json, size_t size)
{
    static struct request request;
    if (!read_request(json, size, &request)) {
        printf("no %s\n", why());
        return;
    }
    printf("ok");
    show("user", request.user);
    show("command", request.command);
    show("dir", request.dir);
    show("stdin", request.input);
    for (size_t each = 0; each < request.count; each++)
        show("arg", request.args[each]);
    printf("\n");
}

static void show_list(char *list, size_t size)
{
    const char *path = listed(list, size, "id", true);
    printf(path == NULL ? "no %s\n" : "ok %s\n", path == NULL ? why() : path);
}

int main(void)
{
    unsigned char head[5];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        size_t size = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        bool is_list = head[0] == 'L';
        char *read = malloc(size + is_list + (size == 0));
        if (read == NULL || (size > 0 && fread(read, size, 1, stdin) != 1))
            return 1;
        if (is_list)
            read[size] = '\0';
        (is_list ? show_list : show_request)(read, size);
        free(read);
    }
    return 0;
}
