/* SPDX-License-Identifier: Apache-2.0 */
/* node page: a new token for the acts of this node's page (web/page_token.h), in an address that a browser opens. The
 * token is behind '#', which a browser sends to nobody. qrencode, if it is installed, makes the QR code: it gets the
 * address on its standard input, so that no list of processes shows it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/format.h"
#include "cli/child.h"
#include "cli/parts.h"
#include "web/page_token.h"

#define DEFAULT_URL "http://127.0.0.1:9090/"
#define LIMIT_NS (10 * HF_NS_PER_S)

enum { MAX_URL = 256, MAX_CODE = 64 << 10 };

const struct hf_cli_option hf_cli_node_page_options[] = {
    HF_CLI_OPTION("url", "URL", "the address under which you see the page (" DEFAULT_URL ")"),
    HF_CLI_OPTION("run-dir", "DIR", "the agent's run folder (" HF_CLI_DEFAULT_RUN_DIR ")"),
    HF_CLI_OPTION("no-code", NULL, "print no QR code"),
    {.name = NULL},
};

static bool is_page(const char *url)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return false;
    for (const char *p = url; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("#?\"'<>\\@", *p) != NULL)
            return false;
    return strlen(url) < MAX_URL;
}

/* Its standard input stays the address: this command reads nothing else. */
static bool give_input(const char *text)
{
    int fd = memfd_create("page", MFD_CLOEXEC);
    size_t n = strlen(text);
    bool given = fd >= 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0 &&
                 dup2(fd, STDIN_FILENO) == STDIN_FILENO;

    if (fd >= 0)
        (void)close(fd);
    return given;
}

static void print_code(struct hf_cli *cli, const char *text)
{
    const struct hf_cli_child child = {.argv = (const char *const[]){"qrencode", "-t", "UTF8", "-m", "2", NULL},
                                       .has_input = true,
                                       .limit_ns = LIMIT_NS};
    _cleanup_(hf_buf_done) struct hf_buf code = HF_BUF_INIT(MAX_CODE);
    int status = HF_CLI_CHILD_NOT_STARTED;

    if (give_input(text) && hf_cli_child_run(&child, &code, &status) == 0 && WIFEXITED(status) &&
        WEXITSTATUS(status) == 0)
        (void)fprintf(cli->out, "\n%.*s", (int)code.n, code.p);
    else
        (void)fprintf(cli->err, "no QR code: qrencode is not installed, or failed\n");
    hf_buf_wipe(&code);
}

int hf_cli_node_page(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *url = hf_cli_value(args, "url", DEFAULT_URL),
               *run_dir = hf_cli_value(args, "run-dir", HF_CLI_DEFAULT_RUN_DIR);
    char address[MAX_URL + HF_PAGE_TOKEN_TEXT + 8], when[HF_TIME_TEXT];
    struct hf_page_token token;

    if (!is_page(url))
        return hf_err_set(err, EINVAL, "--url takes http:// or https:// and a host, without '?' and '#'");
    int r = hf_page_token_make(cli->fs, cli->clock, run_dir, &token, err);
    if (r < 0)
        return r == -EACCES || r == -EPERM ? hf_err_set(err, EACCES, "only root may make a token in '%s'", run_dir)
               : r == -ENOENT
                   ? hf_err_set(err, ENOENT, "run folder '%s' does not exist: set --run-dir to the agent's", run_dir)
                   : r;
    (void)snprintf(address, sizeof(address), "%s#token=%s", url, token.text);
    (void)fprintf(cli->out, "%s\n", address);
    if (!hf_cli_flag(args, "no-code"))
        print_code(cli, address);
    (void)fprintf(
        cli->err,
        "Whoever has this address may act on this node by its page until about %s, while agent.yaml has page: "
        "Act. It ends every earlier one.\n",
        hf_format_time(hf_unix_ns(cli->clock) + HF_PAGE_TOKEN_NS, when));
    return 0;
}
