/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/first_install.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "agent/process/process.h"
#include "base/parse.h"
#include "config/config.h"
#include "os/dir.h"
#include "os/file.h"
#include "trust/key.h"
#include "trust/trust.h"

enum { MAX_FILES = HF_TRUST_MAX_KEYS + 2 };

/* One file of the folder, in memory: the writer uses the bytes that the checks saw. */
struct item {
    char name[NAME_MAX + 1];
    struct hf_buf text;
};

struct bundle {
    const struct hf_fs_ops *fs;
    const char *from;
    struct item items[MAX_FILES];
    size_t n_items, n_keys;
    struct hf_err *err;
};

static void bundle_free(struct bundle *bundle)
{
    for (size_t i = 0; bundle != NULL && i < bundle->n_items; i++)
        hf_buf_done(&bundle->items[i].text);
    free(bundle);
}
HF_DEFINE_CLEANUP(struct bundle, bundle_free)

/* ---- reading and checking ---------------------------------------------------------------------------------------- */

static bool is_key(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && dot != name && strcmp(dot, ".pem") == 0;
}

static int check_key(const struct item *item, struct hf_err *err)
{
    unsigned char raw[HF_ED25519_PUBLIC];
    char id[NAME_MAX + 1];

    (void)snprintf(id, sizeof(id), "%.*s", (int)(strlen(item->name) - strlen(".pem")), item->name);
    if (!hf_trust_key_id_valid(id))
        return hf_err_set(err, EBADMSG, "'%.80s' has no key id as its name", item->name);
    int r = hf_trust_public_raw(hf_buf_str(&item->text), raw, err);
    return r < 0 ? hf_err_wrap(err, -EBADMSG, "key '%.80s'", item->name) : 0;
}

static int check_config(const struct item *item, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    int r = hf_config_parse(hf_buf_view(&item->text), "agent.yaml", &config, err);

    if (r == 0 && hf_config_n_faults(config) > 0)
        return hf_err_set(err, EBADMSG, "%.200s", hf_config_fault(config, 0));
    return r;
}

static int check_threshold(const struct bundle *bundle, const struct item *item, struct hf_err *err)
{
    struct hf_view text = hf_view_trim(hf_buf_view(&item->text));
    char number[8] = "";
    uint64_t value;

    if (text.n < sizeof(number))
        memcpy(number, text.p, text.n);
    if (hf_parse_u64(number, 1, bundle->n_keys, &value) < 0)
        return hf_err_set(err, EBADMSG, "'threshold' must hold a number from 1 to %zu, the number of keys",
                          bundle->n_keys);
    return 0;
}

/* ConfigMaps are mounted as links beside folders whose names begin with a dot. */
static int take(void *arg, const char *name, unsigned char type)
{
    struct bundle *bundle = arg;
    char path[PATH_MAX];

    (void)type;
    if (name[0] == '.')
        return 0;
    if (!is_key(name) && strcmp(name, "threshold") != 0 && strcmp(name, "agent.yaml") != 0)
        return hf_err_set(bundle->err, EBADMSG, "'%.80s' is neither <keyId>.pem, 'threshold' nor 'agent.yaml'", name);
    if (bundle->n_items == MAX_FILES || (size_t)snprintf(path, sizeof(path), "%s/%s", bundle->from, name) >= PATH_MAX)
        return hf_err_set(bundle->err, EBADMSG, "more than %d keys", HF_TRUST_MAX_KEYS);
    struct item *item = &bundle->items[bundle->n_items++];
    item->text = (struct hf_buf)HF_BUF_INIT(HF_CONFIG_MAX_BYTES);
    (void)snprintf(item->name, sizeof(item->name), "%s", name);
    bundle->n_keys += is_key(name);
    return hf_file_read(bundle->fs, path, &item->text, bundle->err);
}

static int read_all(struct bundle *bundle, struct hf_err *err)
{
    const struct hf_fs_ops *fs = bundle->fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, bundle->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", bundle->from);
    int r = fs->list(fs->ctx, fd, take, bundle);
    (void)fs->close(fs->ctx, fd);
    if (r < 0 && err != NULL && err->code == 0)
        return hf_err_sys(err, r, "list '%s'", bundle->from);
    return r;
}

static int check_all(const struct bundle *bundle, struct hf_err *err)
{
    int r = bundle->n_keys > 0 ? 0 : hf_err_set(err, EBADMSG, "no key <keyId>.pem is there");

    for (size_t i = 0; i < bundle->n_items && r == 0; i++) {
        const struct item *item = &bundle->items[i];
        if (is_key(item->name))
            r = check_key(item, err);
        else if (strcmp(item->name, "threshold") == 0)
            r = check_threshold(bundle, item, err);
        else
            r = check_config(item, err);
    }
    return r;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Returns 1 if something has this name, whatever it is; 0 if nothing has. */
static int exists(const struct hf_fs_ops *fs, const char *path, struct hf_err *err)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);

    if (r == -ENOENT)
        return 0;
    return r < 0 ? hf_err_sys(err, r, "stat '%s'", path) : 1;
}

static int write_config(const struct bundle *bundle, const char *config, struct hf_err *err)
{
    for (size_t i = 0; i < bundle->n_items; i++) {
        const struct item *item = &bundle->items[i];
        if (strcmp(item->name, "agent.yaml") != 0)
            continue;
        int r = exists(bundle->fs, config, err);
        return r != 0 ? (r < 0 ? r : 0) : hf_file_replace(bundle->fs, config, item->text.p, item->text.n, 0644, err);
    }
    return 0;
}

static int write_trust(const struct bundle *bundle, const char *folder, struct hf_err *err)
{
    char path[PATH_MAX];
    int r = hf_dir_remove_tree(bundle->fs, folder, err);

    if (r == 0)
        r = hf_dir_make(bundle->fs, folder, 0755, err);
    for (size_t i = 0; i < bundle->n_items && r == 0; i++) {
        const struct item *item = &bundle->items[i];
        if (strcmp(item->name, "agent.yaml") == 0)
            continue;
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, item->name) >= sizeof(path))
            r = hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
        else
            r = hf_file_replace(bundle->fs, path, item->text.p, item->text.n, 0644, err);
    }
    return r;
}

static int publish(const struct hf_fs_ops *fs, const char *folder, const char *trust_dir, struct hf_err *err)
{
    char parent[PATH_MAX];
    int r = fs->renameat(fs->ctx, AT_FDCWD, folder, AT_FDCWD, trust_dir);

    if (r < 0)
        return hf_err_sys(err, r, "rename '%s' to '%s'", folder, trust_dir);
    (void)hf_dir_of_path(trust_dir, parent, sizeof(parent));
    return hf_dir_sync(fs, parent, err);
}

int hf_first_install(const struct hf_fs_ops *fs, const char *from, const char *trust_dir, const char *config,
                     bool *ret_installed, struct hf_err *err)
{
    _cleanup_(bundle_freep) struct bundle *bundle = NULL;
    struct hf_err cause = HF_ERR_INIT;
    char folder[PATH_MAX];

    err = err != NULL ? err : &cause;
    *ret_installed = false;
    int r = exists(fs, trust_dir, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if ((size_t)snprintf(folder, sizeof(folder), "%s.new", trust_dir) >= sizeof(folder))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", trust_dir);
    bundle = calloc(1, sizeof(*bundle));
    if (bundle == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the files of '%s'", from);
    *bundle = (struct bundle){.fs = fs, .from = from, .err = err};
    r = read_all(bundle, err);
    if (r == 0)
        r = check_all(bundle, err);
    if (r == 0)
        r = write_config(bundle, config, err);
    if (r == 0)
        r = write_trust(bundle, folder, err);
    if (r == 0)
        r = publish(fs, folder, trust_dir, err);
    *ret_installed = r == 0;
    return r < 0 ? hf_err_wrap(err, r, "first installation from '%s'", from) : 0;
}

int hf_first_install_run(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out, FILE *faults)
{
    struct hf_err err = HF_ERR_INIT;
    bool installed = false;

    if (hf_first_install(fs, options->first_install, options->trust_dir, options->config, &installed, &err) < 0) {
        (void)fprintf(faults, "holdfast-agent: %s\n", HF_ERR_TEXT(&err));
        return HF_EXIT_FAILED;
    }
    if (installed)
        (void)fprintf(out, "%s: made, with the files of %s\n", options->trust_dir, options->first_install);
    else
        (void)fprintf(out, "%s: exists, left as it is\n", options->trust_dir);
    return fflush(out) == 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
}
