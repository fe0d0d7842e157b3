/* policy sign. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/syncpolicy.h"
#include "base/buf.h"
#include "base/parse.h"
#include "cli/release/sign.h"

const struct hf_cli_option hf_cli_policy_sign_options[] = {
    {.name = "key", .value = "FILE", .required = true, .repeats = true, .help = "private key (NAME.key)"},
    {.name = "key-id",
     .value = "ID",
     .repeats = true,
     .help = "name of the public key in the nodes' trust folders (NAME); one per --key, in order"},
    {.name = "sequence", .value = "N", .help = "write this spec.sequence first; removes signatures for another one"},
    {.name = "out", .value = "FILE", .letter = 'o', .help = "output file; '-': standard output (default: FILE itself)"},
    {.name = NULL},
};

static int read_policy(struct hf_cli *cli, const char *path, json_t **ret_policy, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *array = NULL;
    int r = hf_cli_read_objects(cli, path, &array, NULL, err);

    if (r < 0)
        return r;
    json_t *object = json_array_get(array, 0);
    if (json_array_size(array) != 1 || strcmp(hf_json_str_or(object, "kind", ""), "SyncPolicy") != 0)
        return hf_err_set(err, EBADMSG, "%s: expected one SyncPolicy", path);
    *ret_policy = json_incref(object);
    return 0;
}

static int put_sequence(const struct hf_cli_args *args, json_t *policy, struct hf_err *err)
{
    const char *text = hf_cli_value(args, "sequence", NULL);
    uint64_t sequence;

    if (text == NULL)
        return 0;
    if (hf_parse_u64(text, 1, (UINT64_C(1) << 53) - 1, &sequence) < 0)
        return hf_err_set(err, EINVAL, "--sequence '%.40s': expected 1 to 9007199254740991", text);
    if (hf_json_int_or(policy, "spec.sequence", 0) == (int64_t)sequence)
        return 0;
    json_t *spec = json_object_get(policy, "spec");
    (void)json_object_del(spec, "signatures"); /* they cover the old sequence */
    return hf_cli_put(policy, "spec.sequence", json_integer((json_int_t)sequence), err);
}

/* Nodes and API servers drop unknown fields, and then the signature would not match. */
static int check_policy(struct hf_cli *cli, const char *path, json_t *json, struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    int r = issues != NULL ? hf_syncpolicy_decode(json, &policy, issues) : -ENOMEM;

    if (r == -ENOMEM)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES); i++)
        (void)fprintf(cli->err, "%s: %s: %s\n", path, issues->errors[i].path, issues->errors[i].text);
    for (size_t i = 0; i < HF_MIN(issues->n_warnings, (size_t)HF_API_MAX_ISSUES); i++)
        (void)fprintf(cli->err, "%s: %s: %s\n", path, issues->warnings[i].path, issues->warnings[i].text);
    if (issues->n_errors + issues->n_warnings > 0)
        return hf_err_set(err, EBADMSG, "%s: not signed: correct it first", path);
    return policy->sequence > 0 ? 0 : hf_err_set(err, EBADMSG, "%s: spec.sequence is missing: give --sequence N", path);
}

static int write_policy(struct hf_cli *cli, const char *target, const json_t *policy, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;

    if (hf_yaml_format(policy, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_cli_out_open(cli, target, 0644, &out, err);
    if (r == 0)
        r = hf_cli_out_write(&out, text.p, text.n, err);
    return r == 0 ? hf_cli_out_commit(&out, err) : r;
}

int hf_cli_policy_sign(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *path = args->words[0], *target = hf_cli_value(args, "out", path);
    _cleanup_(hf_json_freep) json_t *policy = NULL;
    int r = read_policy(cli, path, &policy, err);

    if (r == 0)
        r = put_sequence(args, policy, err);
    if (r == 0)
        r = check_policy(cli, path, policy, err);
    if (r == 0)
        r = hf_cli_sign_policy_all(cli, args, policy, err);
    if (r == 0)
        r = write_policy(cli, target, policy, err);
    if (r < 0)
        return r;
    const json_t *signatures = hf_json_at(policy, "spec.signatures");
    for (size_t i = 0; i < json_array_size(signatures); i++)
        (void)fprintf(strcmp(target, "-") == 0 ? cli->err : cli->out, "signed by %s\n",
                      hf_json_str_or(json_array_get(signatures, i), "keyId", ""));
    return 0;
}
