/* base/banned.h - libc calls that have a safer twin here; force-included into every file of pkg/ and cmd/.
 *
 * The libc headers come first: poisoning a name after its declaration leaves the declaration legal. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
