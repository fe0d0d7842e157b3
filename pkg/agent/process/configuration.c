/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/configuration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/process.h"
#include "codec/state/sealed_file.h"
#include "os/file.h"

static int load(const struct hf_agent_options *options, const struct hf_fs_ops *fs, struct hf_config **ret_config,
                struct hf_err *err)
{
    return hf_config_load(fs, options->config, options->config_given, ret_config, err);
}

/* Two files with equal texts and faults are one configuration. */
static bool same(const struct hf_config *a, const struct hf_config *b)
{
    _cleanup_(hf_buf_done) struct hf_buf text_a = HF_BUF_INIT(4 * HF_CONFIG_MAX_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf text_b = HF_BUF_INIT(4 * HF_CONFIG_MAX_BYTES);

    if (hf_config_n_faults(a) != hf_config_n_faults(b) || hf_config_format(a, &text_a) < 0 ||
        hf_config_format(b, &text_b) < 0 || strcmp(hf_buf_str(&text_a), hf_buf_str(&text_b)) != 0)
        return false;
    for (size_t i = 0; i < hf_config_n_faults(a); i++)
        if (strcmp(hf_config_fault(a, i), hf_config_fault(b, i)) != 0)
            return false;
    return true;
}

static void log_faults(const struct hf_agent_configuration *c, const struct hf_config *config)
{
    for (size_t i = 0; i < hf_config_n_faults(config); i++)
        hf_log(c->log, HF_LOG_ERROR, "config.fault", HF_S("fault", hf_config_fault(config, i)));
}

/* The engine and the disks keep the roots of the start. */
static void log_roots(const struct hf_agent_configuration *c, const struct hf_config *next)
{
    const char *const *a = hf_config_update_roots(c->now), *const *b = hf_config_update_roots(next);

    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    if (c->options->n_roots == 0 && (*a != NULL || *b != NULL))
        hf_log(c->log, HF_LOG_WARNING, "config.restart_needed", HF_S("field", "updateRoots"));
}

static int keep(struct hf_agent_configuration *c, struct hf_config *config, struct hf_err *err)
{
    struct hf_config **more = reallocarray(c->before, c->n_before + 1, sizeof(struct hf_config *));

    if (more == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for another configuration");
    c->before = more;
    c->before[c->n_before++] = config;
    return 0;
}

/* ---- the last one that has worked -------------------------------------------------------------------------------- */

enum { LAST_VERSION = 1, LAST_MAX_BYTES = HF_CONFIG_MAX_BYTES + 256 };

#define LAST_KIND "configuration"

/* NULL: there is none. */
static struct hf_config *load_last(const struct hf_agent_configuration *c)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(LAST_MAX_BYTES);
    _cleanup_(hf_config_freep) struct hf_config *last = NULL;
    struct hf_err err = HF_ERR_INIT;
    struct hf_view body;
    int r = hf_sealed_file_load(c->fs, c->options->state_dir, HF_LAST_CONFIGURATION, LAST_KIND, LAST_VERSION, &text,
                                &body, &err);

    if (r == 0)
        r = hf_config_parse(body, c->options->config, &last, &err);
    if (r < 0 && r != -ENOENT)
        hf_log_err(c->log, HF_LOG_WARNING, "config.last_lost", "file", HF_LAST_CONFIGURATION, &err);
    return r == 0 && hf_config_is_usable(last) ? hf_steal(last) : NULL;
}

/* The file cannot be used at the start. */
static int fall_back(const struct hf_agent_configuration *c, struct hf_config **config, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *last = load_last(c);
    const char *fault = hf_config_fault(*config, 0);

    if (last == NULL)
        return 0;
    if (hf_config_put_fault(last, fault, "the configuration that worked last is in effect") < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for the last configuration");
    hf_log(c->log, HF_LOG_ERROR, "config.last_used", HF_S("file", c->options->config), HF_S("fault", fault));
    hf_config_free(*config);
    *config = hf_steal(last);
    return 0;
}

static bool is_kept(const struct hf_agent_configuration *c, struct hf_view body)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(LAST_MAX_BYTES);
    struct hf_view kept;

    return hf_sealed_file_load(c->fs, c->options->state_dir, HF_LAST_CONFIGURATION, LAST_KIND, LAST_VERSION, &text,
                               &kept, NULL) == 0 &&
           kept.n == body.n && memcmp(kept.p, body.p, body.n) == 0;
}

/* A file that has changed meanwhile waits for its own turn. */
static int save_last(const struct hf_agent_configuration *c, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(HF_CONFIG_MAX_BYTES);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(LAST_MAX_BYTES);
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    int r = hf_file_read(c->fs, c->options->config, &body, NULL);

    if (!hf_config_is_usable(c->now) || (r < 0 && r != -ENOENT))
        return 0;
    if (r == -ENOENT) /* the defaults need no file */
        return hf_config_n_faults(c->now) > 0
                   ? 0
                   : hf_sealed_file_remove(c->fs, c->options->state_dir, HF_LAST_CONFIGURATION, err);
    r = hf_config_parse(hf_buf_view(&body), c->options->config, &config, err);
    if (r < 0 || !same(c->now, config) || is_kept(c, hf_buf_view(&body)))
        return r;
    r = hf_seal_format(LAST_KIND, LAST_VERSION, hf_buf_view(&body), &text);
    return r < 0 ? hf_err_set(err, ENOMEM, "not enough memory for the last configuration")
                 : hf_sealed_file_save(c->fs, c->options->state_dir, HF_LAST_CONFIGURATION, hf_buf_view(&text), err);
}

static void on_kept(void *arg)
{
    const struct hf_agent_configuration *c = arg;
    struct hf_err err = HF_ERR_INIT;

    if (save_last(c, &err) < 0)
        hf_log_err(c->log, HF_LOG_WARNING, "config.last_not_saved", "file", HF_LAST_CONFIGURATION, &err);
}

static void arm(const struct hf_agent_configuration *c)
{
    if (c->timer != NULL)
        hf_timer_arm(c->sched, c->timer, c->options->probation_ns);
}

int hf_agent_configuration_keep(struct hf_agent_configuration *c, const struct hf_sched_ops *sched)
{
    c->sched = sched;
    c->timer = hf_timer_new(sched, on_kept, c);
    arm(c);
    return c->timer == NULL ? -ENOMEM : 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

int hf_agent_configuration_read(struct hf_agent_configuration *c, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    int r = load(c->options, c->fs, &config, err);

    if (r < 0)
        return r;
    log_faults(c, config);
    if (c->now != NULL && (!hf_config_is_usable(config) || same(c->now, config))) {
        hf_log(c->log, hf_config_is_usable(config) ? HF_LOG_INFO : HF_LOG_ERROR, "config.kept",
               HF_S("file", c->options->config));
        return 0;
    }
    if (c->now == NULL && !hf_config_is_usable(config)) {
        r = fall_back(c, &config, err);
        if (r < 0)
            return r;
    }
    if (c->now != NULL)
        log_roots(c, config);
    if (c->now != NULL && keep(c, c->now, err) < 0)
        return -ENOMEM;
    c->now = hf_steal(config);
    arm(c);
    hf_log(c->log, HF_LOG_INFO, "config.read", HF_S("file", c->options->config),
           HF_D("faults", hf_config_n_faults(c->now)),
           HF_S("requireSigned", hf_config_requires_signed_policy(c->now) ? "SyncPolicy" : ""));
    return 1;
}

void hf_agent_configuration_done(struct hf_agent_configuration *c)
{
    if (c->timer != NULL) /* else it may have no `sched` yet */
        hf_timer_free(c->sched, c->timer);
    for (size_t i = 0; i < c->n_before; i++)
        hf_config_free(c->before[i]);
    free(c->before);
    hf_config_free(c->now);
}

const char *const *hf_agent_configuration_roots(const struct hf_agent_configuration *c)
{
    return c->options->n_roots > 0 ? c->options->roots : hf_config_update_roots(c->now);
}

/* ---- --check-config ---------------------------------------------------------------------------------------------- */

/* Prints the line of a systemd unit that lets the agent write the roots and the folder of --export. */
static void print_writable(const char *const *roots, const char *export_dir, FILE *out)
{
    (void)fputs("# systemd: ReadWritePaths=", out);
    for (size_t i = 0; roots[i] != NULL; i++)
        (void)fprintf(out, "%s-%s", i > 0 ? " " : "", roots[i]);
    if (export_dir != NULL)
        (void)fprintf(out, " -%s", export_dir);
    (void)fputs("\n", out);
}

int hf_agent_configuration_check(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out,
                                 FILE *faults)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 * HF_CONFIG_MAX_BYTES);
    struct hf_agent_configuration c = {.options = options, .fs = fs};
    struct hf_err err = HF_ERR_INIT;

    if (load(options, fs, &c.now, &err) < 0 || hf_config_format(c.now, &text) < 0) {
        hf_agent_configuration_done(&c);
        (void)fprintf(faults, "holdfast-agent: not enough memory\n");
        return HF_EXIT_FAILED;
    }
    for (size_t i = 0; i < hf_config_n_faults(c.now); i++)
        (void)fprintf(faults, "%s\n", hf_config_fault(c.now, i));
    (void)fputs(hf_buf_str(&text), out);
    print_writable(hf_agent_configuration_roots(&c), options->export_dir, out);
    int exit_code = hf_config_n_faults(c.now) == 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
    hf_agent_configuration_done(&c);
    return fflush(out) == 0 ? exit_code : HF_EXIT_FAILED;
}
