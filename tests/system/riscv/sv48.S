/* sv48.S
 * ONLY 64 */
#define LEVELS 4
#define VBITS 9
#define MODE 9
#include "vm.inc"
