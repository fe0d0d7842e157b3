/* key generate, key public */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "cli/parts.h"
#include "trust/trust.h"

const struct hf_cli_option hf_cli_key_generate_options[] = {
    {.name = "public", .value = "FILE", .help = "where the public half goes (default: beside KEY, ending in .pub.pem)"},
    {.name = NULL},
};
const struct hf_cli_option hf_cli_key_public_options[] = {{.name = NULL}};

/* A key that is overwritten is a fleet that has to be visited. */
static int refuse_existing(const char *path, struct hf_err *err)
{
    struct stat st;

    if (strcmp(path, "-") != 0 && lstat(path, &st) == 0)
        return hf_err_set(err, EEXIST, "'%s' exists already and is left alone", path);
    return 0;
}

static int write_key(struct hf_cli *cli, const char *path, mode_t mode, const struct hf_buf *pem, struct hf_err *err)
{
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;
    int r = hf_cli_out_open(cli, path, mode, &out, err);

    if (r == 0)
        r = hf_cli_out_write(&out, pem->p, pem->n, err);
    if (r == 0)
        r = hf_cli_out_commit(&out, err);
    return r;
}

static char *public_path(const struct hf_cli_args *args)
{
    const char *given = hf_cli_value(args, "public", NULL), *key = args->words[0];
    size_t n = strlen(key);

    if (given != NULL)
        return strdup(given);
    if (n > 4 && strcmp(key + n - 4, ".pem") == 0)
        n -= 4;
    return hf_asprintf("%.*s.pub.pem", (int)n, key);
}

int hf_cli_key_generate(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_cli_wipe) struct hf_buf private_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf public_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_freep) char *public_file = public_path(args);

    if (public_file == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = refuse_existing(args->words[0], err);
    if (r == 0)
        r = refuse_existing(public_file, err);
    if (r == 0)
        r = hf_trust_generate(&private_pem, &public_pem, err);
    if (r == 0)
        r = write_key(cli, args->words[0], 0600, &private_pem, err);
    if (r == 0)
        r = write_key(cli, public_file, 0644, &public_pem, err);
    if (r == 0 && cli->terminal)
        (void)fprintf(cli->err,
                      "%s: keep it secret, keep a copy\n%s: goes to " HF_CLI_DEFAULT_TRUST_DIR "/<key id>.pem on every "
                      "node\n",
                      args->words[0], public_file);
    return r;
}

int hf_cli_key_public(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_cli_wipe) struct hf_buf private_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf public_pem = HF_BUF_INIT(HF_CLI_KEY_BYTES);
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    int r = hf_cli_map_open(cli, args->words[0], HF_CLI_KEY_BYTES, &map, err);

    if (r == 0 && hf_buf_add(&private_pem, map.p, map.n) < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_trust_public_of(hf_buf_str(&private_pem), &public_pem, err);
    if (r < 0)
        return hf_err_wrap(err, r, "key '%s'", args->words[0]);
    (void)fprintf(cli->out, "%s", hf_buf_str(&public_pem));
    return 0;
}
