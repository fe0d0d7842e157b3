/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the few settings of containerd's TOML that matter here, line by line: the table of the last header, keys with
 * their values, comments left out. What this misreads (a multi-line text, a dotted key) it can only miss, and a
 * setting that it misses is one that neither containerd's own default file nor K3s' template writes so. */
#include "agent/images/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

enum { MAX_LINE = 1024, MAX_TABLE = 256 };

/* Copies a line without blanks at its ends and without a comment. */
static void tidy(char line[MAX_LINE], const char *from, size_t n)
{
    size_t used = 0;
    char quote = '\0';

    for (size_t i = 0; i < n && used < MAX_LINE - 1; i++) {
        char c = from[i];
        if (quote == '\0' && c == '#')
            break;
        if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        else if (quote == c)
            quote = '\0';
        if (quote != '\0' || (c != ' ' && c != '\t' && c != '\r'))
            line[used++] = c;
    }
    line[used] = '\0';
}

/* The text between the first pair of quotes, or "". */
static void unquote(char *to, size_t n, const char *value)
{
    const char *begin = strpbrk(value, "\"'");
    const char *end = begin != NULL ? strchr(begin + 1, *begin) : NULL;
    size_t length = end != NULL ? (size_t)(end - begin - 1) : 0;

    length = length < n ? length : 0;
    memcpy(to, begin != NULL ? begin + 1 : "", length);
    to[length] = '\0';
}

static bool in_verifier(const char *table)
{
    return strstr(table, "io.containerd.image-verifier.v1.bindir") != NULL;
}

/* "io.containerd.cri.v1.images", or "io.containerd.grpc.v1.cri" in a file of version 2. */
static bool in_images(const char *table)
{
    return strstr(table, "io.containerd.cri.v1.images") != NULL || strstr(table, "io.containerd.grpc.v1.cri") != NULL;
}

/* Harmless: the value by which CRI pulls with the transfer service, also in a later file. NULL: a table, which no later
 * file takes back. */
static const struct {
    const char *name, *harmless;
} local_pull[] = {
    {"use_local_image_pull", "false"},
    {"disable_snapshot_annotations", "true"},
    {"discard_unpacked_layers", "false"},
    {"image_pull_with_sync_fs", "false"},
    {"max_concurrent_downloads", "3"},
    {"registry.mirrors", NULL}, /* K3s writes config_path, which the transfer service knows */
    {"registry.configs", NULL},
    {"registry.auths", NULL},
};

static void read_table(struct hf_image_runtime *runtime, const char *table)
{
    for (unsigned i = 0; i < HF_LEN(local_pull); i++)
        if (local_pull[i].harmless == NULL && in_images(table) && strstr(table, local_pull[i].name) != NULL)
            runtime->local_pull |= 1u << i;
}

static void read_image_setting(struct hf_image_runtime *runtime, const char *key, const char *value)
{
    for (unsigned i = 0; i < HF_LEN(local_pull); i++) {
        if (local_pull[i].harmless == NULL || strcmp(key, local_pull[i].name) != 0)
            continue;
        bool harmless = strcmp(value, local_pull[i].harmless) == 0;
        runtime->local_pull = harmless ? runtime->local_pull & ~(1u << i) : runtime->local_pull | 1u << i;
    }
}

const char *hf_image_runtime_local_pull(const struct hf_image_runtime *runtime)
{
    for (unsigned i = 0; i < HF_LEN(local_pull); i++)
        if ((runtime->local_pull & 1u << i) != 0)
            return local_pull[i].name;
    return NULL;
}

/* One line of the list. Returns whether it goes on in the next. */
static bool read_imports(struct hf_image_imports *imports, const char *line)
{
    for (const char *at = line; *at != '\0' && *at != ']'; at++) {
        if (*at != '"' && *at != '\'')
            continue;
        const char *end = strchr(at + 1, *at);
        size_t n = end != NULL ? (size_t)(end - at - 1) : 0;
        if (n == 0 || n >= sizeof(imports->path[0]) || imports->n == HF_LEN(imports->path)) {
            imports->lost = true;
            return false;
        }
        (void)snprintf(imports->path[imports->n++], sizeof(imports->path[0]), "%.*s", (int)n, at + 1);
        at = end;
        line = end + 1;
    }
    return strchr(line, ']') == NULL;
}

static void read_setting(struct hf_image_runtime *runtime, const char *table, const char *key, const char *value)
{
    if (strcmp(key, "bin_dir") == 0 && in_verifier(table))
        unquote(runtime->folder, sizeof(runtime->folder), value);
    else if (strcmp(key, "max_verifiers") == 0 && in_verifier(table))
        runtime->calls_none = strcmp(value, "0") == 0;
    else if (strcmp(key, "config_path") == 0 && in_images(table) && strstr(table, "registry") != NULL)
        unquote(runtime->config_path, sizeof(runtime->config_path), value);
    else if (strcmp(key, "root") == 0 && table[0] == '\0')
        unquote(runtime->root, sizeof(runtime->root), value);
    else if (in_images(table))
        read_image_setting(runtime, key, value);
}

void hf_image_runtime_read(struct hf_image_runtime *runtime, const char *toml, struct hf_image_imports *ret_imports)
{
    char table[MAX_TABLE] = "", line[MAX_LINE];
    bool in_imports = false;

    *ret_imports = (struct hf_image_imports){.n = 0};
    for (const char *at = toml; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        tidy(line, at, n);
        at += n + (at[n] == '\n');
        char *equals = strchr(line, '=');
        if (in_imports) {
            in_imports = read_imports(ret_imports, line);
        } else if (line[0] == '[') {
            (void)snprintf(table, sizeof(table), "%.255s", line);
            read_table(runtime, table);
        } else if (equals != NULL) {
            *equals = '\0';
            if (strcmp(line, "imports") == 0 && table[0] == '\0')
                in_imports = read_imports(ret_imports, equals + 1);
            else
                read_setting(runtime, table, line, equals + 1);
        }
        /* The list may go over several lines: the plugin's name is nowhere else but in its own table. */
        if (table[0] == '\0' && strstr(equals != NULL ? equals + 1 : line, "io.containerd.image-verifier.v1") != NULL)
            runtime->disabled = true;
    }
    ret_imports->lost |= in_imports;
}

bool hf_image_runtime_version(const char *text, unsigned *ret_major, unsigned *ret_minor)
{
    char *end;

    for (const char *at = strchr(text, ' '); at != NULL; at = strchr(at + 1, ' ')) {
        const char *number = at + 1 + (at[1] == 'v');
        if (number[0] < '0' || number[0] > '9')
            continue;
        unsigned long major = strtoul(number, &end, 10);
        if (*end != '.' || end[1] < '0' || end[1] > '9' || major > 999)
            continue;
        unsigned long minor = strtoul(end + 1, &end, 10);
        if (minor > 999)
            continue;
        *ret_major = (unsigned)major;
        *ret_minor = (unsigned)minor;
        return true;
    }
    return false;
}
