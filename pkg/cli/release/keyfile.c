/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/keyfile.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "trust/key.h"

/* Returns the length of `name` without this suffix; 0: it does not end so, or nothing precedes the suffix. */
static size_t without(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n > m && name[n - m - 1] != '/' && strcmp(name + n - m, ending) == 0 ? n - m : 0;
}

static size_t stem_of(const char *name)
{
    static const char *const endings[] = {".key", ".pub.pem", ".pem"};
    size_t n = 0;

    for (size_t i = 0; n == 0 && i < HF_LEN(endings); i++)
        n = without(name, endings[i]);
    return n > 0 ? n : strlen(name);
}

int hf_cli_key_id(const char *name, char ret_id[HF_KEY_ID_MAX + 1], struct hf_err *err)
{
    size_t end = stem_of(name), start = end;

    while (start > 0 && name[start - 1] != '/')
        start--;
    char id[HF_KEY_ID_MAX + 1];
    int n = snprintf(id, sizeof(id), "%.*s", (int)(end - start), name + start);
    if (n < 0 || (size_t)n >= sizeof(id) || !hf_trust_key_id_valid(id))
        return hf_err_set(
            err, EINVAL, "the file name '%.120s' is not a key id (lower case letters, digits, '-' and '.', at most %d)",
            name, HF_KEY_ID_MAX);
    memcpy(ret_id, id, sizeof(id));
    return 0;
}

/* ---- naming a new pair ------------------------------------------------------------------------------------------- */

void hf_cli_pair_done(struct hf_cli_pair *pair)
{
    free(pair->private_file);
    free(pair->public_file);
}

int hf_cli_pair_named(const char *name, const char *public_file, struct hf_cli_pair *ret_pair, struct hf_err *err)
{
    _cleanup_(hf_cli_pair_done) struct hf_cli_pair pair = {.private_file = NULL};
    bool pipe = strcmp(name, "-") == 0;
    size_t pem = without(name, ".pem");

    if (pem > 0)
        return hf_err_set(
            err, EINVAL,
            "'%.60s' is the name of a public key: 'key generate %.*s' makes %.*s.key, the private half, and "
            "%.*s.pem, the public one",
            name, (int)HF_MIN(pem, (size_t)40), name, (int)HF_MIN(pem, (size_t)40), name, (int)HF_MIN(pem, (size_t)40),
            name);
    if (pipe && public_file == NULL)
        return hf_err_set(err, EINVAL, "with '-', --public must name the file for the public half");
    int r =
        hf_cli_key_id(public_file != NULL && without(public_file, ".pem") > 0 ? public_file : name, pair.key_id, err);
    if (r < 0)
        return r;
    int stem = (int)stem_of(name);
    pair.private_file = pipe ? strdup(name) : hf_asprintf("%.*s.key", stem, name);
    pair.public_file = public_file != NULL ? strdup(public_file) : hf_asprintf("%.*s.pem", stem, name);
    if (pair.private_file == NULL || pair.public_file == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *ret_pair = pair;
    pair.private_file = pair.public_file = NULL; /* moved */
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int read_file(struct hf_cli *cli, const char *path, struct hf_buf *pem, struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    int r = hf_cli_map_open(cli, path, HF_CLI_KEY_BYTES, &map, err);

    if (r == 0 && hf_buf_add(pem, map.p, map.n) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    return r;
}

/* Reads the file `name`, or, if there is none, `name` with the first of these suffixes that exists. */
static int read_named(struct hf_cli *cli, const char *name, const char *const *endings, struct hf_buf *pem,
                      struct hf_err *err)
{
    int r = read_file(cli, name, pem, err);

    for (; r == -ENOENT && *endings != NULL; endings++) {
        _cleanup_(hf_freep) char *other = hf_asprintf("%s%s", name, *endings);
        if (other == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        int again = read_file(cli, other, pem, NULL);
        r = again < 0 ? r : 0;
    }
    return r;
}

int hf_cli_key_read_private(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err)
{
    static const char *const endings[] = {".key", NULL};
    int r = read_named(cli, name, endings, pem, err);

    if (r < 0)
        return r;
    if (hf_trust_half_of(hf_buf_str(pem)) == HF_TRUST_HALF_PUBLIC)
        return hf_err_set(err, EBADMSG, "'%.80s' holds a public key; expected the private half, '%.*s.key'", name,
                          (int)HF_MIN(stem_of(name), (size_t)80), name);
    return 0;
}

int hf_cli_key_read_public(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err)
{
    static const char *const endings[] = {".pem", ".key", NULL};
    _cleanup_(hf_buf_wipe) struct hf_buf text = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    int r = read_named(cli, name, endings, &text, err);

    if (r < 0)
        return r;
    if (hf_trust_half_of(hf_buf_str(&text)) != HF_TRUST_HALF_PRIVATE)
        return hf_buf_add(pem, text.p, text.n) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
    r = hf_trust_public_of(hf_buf_str(&text), pem, err);
    return r < 0 ? hf_err_wrap(err, r, "key '%s'", name) : 0;
}
