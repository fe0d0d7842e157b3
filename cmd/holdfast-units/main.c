/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-units: lets the agent in a pod restart services of the host, and nothing else of systemd. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "units/filter.h"
#include "units/owner.h"

enum { MAX_PATTERNS = 64 };

static const char help[] =
    "usage: holdfast-units --listen PATH [--allow PATTERN]... [--config FILE]\n"
    "\n"
    "Listens on the unix socket PATH, speaks D-Bus there, and passes two calls on to systemd's manager: restart a\n"
    "service, and read the state of a unit. Refuses every other call.\n"
    "\n"
    "  --listen PATH      the socket; set DBUS_SYSTEM_BUS_ADDRESS=unix:path=PATH for the agent\n"
    "  --allow PATTERN    restart only services that match a shell pattern; repeatable (default: every service except\n"
    "                     those that stop the host or open a shell)\n"
    "  --own-unit         also install, start, stop and remove holdfast-agent.service, and no other unit\n"
    "  --config FILE      restart only services that `units` in this file allows (/etc/holdfast/agent.yaml)\n"
    "  --help             print this text\n"
    "  --version          print the version\n";

static int usage(const char *text, const char *value)
{
    (void)fprintf(stderr, "holdfast-units: %s%s; see holdfast-units --help\n", text, value);
    return 2;
}

static bool allows(void *arg, const char *unit, struct hf_err *err)
{
    return hf_units_owner_allows(arg, unit, err);
}

static int run(const char *socket, const char *const *patterns, bool own_unit, struct hf_units_owner owner)
{
    struct hf_log *log = hf_log_new(STDERR_FILENO, HF_LOG_INFO, hf_clock_posix());
    const struct hf_units_filter_params params = {
        .socket = socket, .patterns = patterns, .allows = allows, .arg = &owner, .own_unit = own_unit, .log = log};
    struct hf_err err = HF_ERR_INIT;

    if (log == NULL)
        return EXIT_FAILURE;
    owner.log = log;
    hf_units_owner_begin(&owner);
    int r = hf_units_filter_run(&params, &err);
    if (r < 0)
        (void)fprintf(stderr, "holdfast-units: %s\n", HF_ERR_TEXT(&err));
    hf_units_owner_done(&owner);
    hf_log_free(log);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"allow", required_argument, NULL, 'a'},
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"own-unit", no_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    const char *patterns[MAX_PATTERNS + 1] = {NULL}, *socket = NULL;
    struct hf_units_owner owner = {.fs = hf_fs_posix(), .path = HF_CONFIG_FILE};
    bool own_unit = false;
    size_t n = 0;

    for (int word; (word = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (word) {
        case 'l':
            socket = optarg;
            break;
        case 'a':
            if (n == MAX_PATTERNS)
                return usage("more than 64 --allow", "");
            patterns[n++] = optarg;
            break;
        case 'c':
            owner.path = optarg;
            owner.must_exist = true;
            break;
        case 'o':
            own_unit = true;
            break;
        case 'h':
            return fputs(help, stdout) == EOF;
        case 'v':
            return printf("holdfast-units %s\n", HF_VERSION) < 0;
        default:
            return 2;
        }
    }
    if (optind < argc)
        return usage("unexpected argument ", argv[optind]);
    if (socket == NULL || socket[0] != '/')
        return usage("--listen needs an absolute path", "");
    return run(socket, n > 0 ? patterns : NULL, own_unit, owner);
}
