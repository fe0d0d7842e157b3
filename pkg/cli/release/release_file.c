/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/release_file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/asprintf.h"
#include "codec/sha256.h"

static bool is_blob(const char *url)
{
    return strncmp(url, "oci://", 6) == 0;
}

char *hf_release_file_url(const char *base, const char *name, const char *sha256)
{
    return is_blob(base) ? hf_asprintf("%s@sha256:%s", base, sha256) : hf_asprintf("%s/%s", base, name);
}

/* 1: the file has this hash. */
static int has_hash(struct hf_cli *cli, const char *path, uint64_t size, const char *sha256, struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    char hex[HF_SHA256_HEX];
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
        return 0;
    int r = hf_cli_map_open(cli, path, SIZE_MAX, &map, err);
    return r < 0 ? r : strcmp(hf_sha256_hex(map.p, map.n, hex), sha256) == 0;
}

static char *find(struct hf_cli *cli, DIR *dir, const char *folder, const char *sha256, uint64_t size,
                  struct hf_err *err)
{
    const struct dirent *entry;

    while ((entry = readdir(dir)) != NULL) {
        _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", folder, entry->d_name);
        int r = path != NULL ? has_hash(cli, path, size, sha256, err) : hf_err_set(err, ENOMEM, "out of memory");
        if (r != 0)
            return r > 0 ? hf_steal(path) : NULL;
    }
    return hf_asprintf("%s/%s", folder, sha256); /* nobody has it: a name for messages */
}

char *hf_release_file_path(struct hf_cli *cli, const char *folder, const char *url, uint64_t size, struct hf_err *err)
{
    size_t n = strcspn(url, "?#");

    if (is_blob(url)) {
        DIR *dir = opendir(folder);
        if (dir == NULL) {
            (void)hf_err_sys(err, -errno, "open '%s'", folder);
            return NULL;
        }
        char *path = find(cli, dir, folder, url + strlen(url) - 64, size, err);
        (void)closedir(dir);
        return path;
    }
    while (n > 0 && url[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && url[start - 1] != '/')
        start--;
    char *path = hf_asprintf("%s/%.*s", folder, (int)HF_MIN(n - start, (size_t)255), url + start);
    if (path == NULL)
        (void)hf_err_set(err, ENOMEM, "out of memory");
    return path;
}
