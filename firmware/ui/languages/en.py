"""What the terminal says in English, a line a text: `key|text`; read by `firmware.ui.texts`."""

TABLE = """
ok|OK
back|Back
clear|Clear
stop|Stop
later|Later
yes|Yes
print|Print
show|Show
done|Done
out|Sign out
try|Try again
copy|Copy
online|Online
searching|Searching
offline|No network
starting|Starting
your_pin|Your PIN, then #
wrong_pin|Wrong PIN
tries_left|That PIN is not right. Tries before a pause: {}
locked|Please wait
locked_for|Too many wrong PINs. Try again in {} s.
menu|Menu
m_sell|Sell airtime
m_topup|Top up a number
m_meter|Electricity
m_bill|Pay a bill
again|Again
which_operator|Which operator?
to_topup|Number
to_meter|Meter
to_bill|Reference
number|Number
type_topup|Type the number, then #
type_meter|Type the meter's number, then #
type_bill|Type the reference, then #
once_more|Once more
type_again|Type the same number again
not_the_same|The two are not the same. Ask the customer and begin again.
check_it|Look again
bad_length|It must have {} digits. Count them with the customer.
bad_start|This operator's numbers begin with {}
bad_meter|A digit is wrong: this can be no meter. Read it once more.
favourite|Favourite
favourites|Favourites
all|All
fav_on|{}: it has key {} among the favourites now.
fav_off|{}: no favourite any more.
fav_full|Nine are all. Take one off first, on its own page.
of_another|This looks like a number of {}, not of {}. Sell to it?
is_it|Is it this one?
amount|Amount
at_least|At least
at_most|At most
in_steps_of|In steps of
in_stock|In stock
still|Left
only_online|This is sold with network only. Nothing was sold.
wait_name|Asking whose it is
no_name|Nobody told whose it is. Nothing was sold.
pending|Not decided yet
pending_t|Sale {} is sent. Do not sell it again: it is asked for by itself.
key_first|FIRST type the key tokens ({}), in this order:
key_n|Key token {} of {}
then_token|THEN the credit token:
token_n|Token {} of {}
d_customer|Customer
d_units_kwh|Units kWh
d_tariff|Tariff
d_tax|Tax
d_arrears|Arrears
d_fixed_charge|Fixed charge
d_free_units|Free units kWh
d_other|{}
m_reprint|Reprint last
m_sales|Last sales
wait_sales|Reading the sales memory
ask|Ask
state|State
sale_no|Type the sale's number, then #
not_among|Sale {} is not one of the last 20 in this terminal.
st_out|printed
st_doubt|in doubt
st_ready|to print
st_waits|no answer
st_refused|refused
st_back|returned
st_unread|damaged
st_doubt_t|The paper may be out. If the customer has none, print a copy.
st_waits_t|Ask: it is the same sale, never a second one.
st_back_t|It was not sold. The float has its money back.
m_day|Reports, shift
m_float|Float
m_messages|Messages
m_language|Language
m_info|This terminal
waiting|Sales to finish: {}. Sign in to finish them.
m_unfinished|Unfinished sale
float|Float
commission|Commission
sell_what|Sell what?
sell_q|Sell {}?
float_now|Float now
float_after|Float after
checking|Checking printer
wait_printer|Asking the printer if it has paper
no_paper|No paper
paper_out|Put in a new roll and close the cover. Nothing was sold.
cover_open|Close the printer's cover. Nothing was sold.
printer_bad|Printer
weak|Battery is low
weak_t|Charge it first: a receipt could stop half-way. Nothing was sold.
error|The printer reports a fault. Switch it off and on. Nothing was sold.
selling|Selling
wait_network|Looking for the network
wait_office|Asking the office
wait_server|Asking the server
wait_print|Printing the receipt
wait_report|Printing the report
no_network|No network
n_no_sim|No SIM card
n_sim_locked|SIM is locked
n_denied|SIM refused
n_no_gprs|No data service
n_no_modem|Modem fault
stock_q|Sell from the stock in this terminal? Left: {}
sms|SMS
sms_q|No data here. Ask by SMS? One SMS is paid for.
wait_sms|Asked by SMS. It may take a minute.
no_answer|No answer yet
no_answer_t|Sale {} is kept. Ask again now, or later from the menu.
sold|Sold
sold_t|Hand over the receipt.
sold_unsure|Check the receipt. If it is not whole, print a copy.
not_sold|Not sold
not_printed|Not printed
np_paper_out|Paper ran out. Put in a new roll, then print again.
np_cover_open|The cover is open. Close it, then print again.
np_error|The printer stopped. Switch it off and on, then print again.
pin_is|PIN
show_pin_q|Show the PIN on the screen? Copy it out for the customer.
cut|Sale was cut
cut_print|Sale {}, {}: has the customer the receipt? If not, print a DUPLICATE.
cut_ask|Sale {}, {}: the server has not answered. Ask it now?
no_last|No sale to print again yet.
last_q|Print sale {} again, marked DUPLICATE? {}
no_messages|No messages.
sales|Sales
total|Total
unsynced|Not sent yet
reprints|Reprints
release|Release
slot|Slot
terminal|Terminal
signal|Signal
battery|Battery
time|Time
on_trial|on trial
e_no_float|Your float is too low. Top it up, then sell again.
e_offline_amount|Too dear to sell without network. Pick a smaller one or wait.
e_offline_count|The limit of sales without network is reached. Wait for the network.
e_offline_total|The limit of money without network is reached. Wait for the network.
e_offline_age|Too long without network. Go where there is signal, then sell.
e_no_stock|No voucher of this kind in stock. Pick another or wait for the network.
e_unknown_product|This product is not sold any more. Pick another.
e_journal_full|The sales memory is full. Wait for the network: it empties by itself.
e_pending_sale|First finish the sale that waits: see the menu.
e_spoiled|This voucher cannot be read. Nothing is charged. Sell another.
e_unreadable|This voucher cannot be read now. Find the network, then print it.
e_conflict|The server has another sale under this number. Call your agent.
e_price_changed|The price has changed, or your commission. Look again or try later.
e_no_vouchers|The operator has no vouchers now. Sell another, or try later.
e_bad_recipient|This number is not known. Ask the customer and type it again.
e_supplier_refused|The supplier refuses this sale. Nothing is charged.
e_supplier_down|The supplier cannot be reached. Nothing is charged. Try later.
e_restoring|The office is being restored. Sell from stock, or try later.
e_blocked|This terminal is blocked. Call your agent.
e_other|Refused by the server ({}). Call your agent if it stays so.
service|Needs service
s_config|The settings are missing or damaged. Bring this terminal to a technician.
s_catalogue|The price list is missing or damaged. It comes back with the network.
s_journal|The sales memory cannot be read. Do not sell. Call a technician.
r_duplicate|DUPLICATE
r_copy|Copy
r_serial|Serial
r_tax|Tax no.
r_vat|VAT {}% in it
r_dial|Dial
r_help|Help
r_valid|Valid until
r_sale|Sale
r_thanks|Thank you
r_day|DAY REPORT
r_offline|sold from stock
m_pin|My PIN
m_people|People
owner|Owner
cashier|Cashier
technician|Technician
add|Add a person
name|Name
rename|Another name
remove|Remove
pin_give|A new PIN
pin_old|Your PIN as it is now
pin_new|The new PIN: {} to {} digits
pin_again|The new PIN once more
pin_short|That PIN is too short. Nothing was changed.
pin_easy|A thief tries that PIN first. Take another.
pin_differs|The two PINs differ. Nothing was changed.
pin_kept|The new PIN counts from now on.
not_kept|The memory takes nothing. Nothing was changed. Call a technician.
remove_q|Remove {}? Past sales keep the name.
people_kept|Kept in this terminal.
spell|Same key: another letter
spell_on|B: next letter
cancel|Cancel
cancel_q|Cancel sale {}? Only if the customer has nothing of it. The office decides.
cancel_kept|Sale {}: the office is asked by itself. Sell nothing of it.
cancel_no|The office does not cancel it. Hand it to the customer.
e_cancelled|This sale is cancelled. Nothing is charged.
r_cancelled|SALE CANCELLED
m_shift|Shift
m_z|Z report
rp_today|Today
rp_yesterday|Yesterday
rp_week|This week
rp_x|X: since the last Z
shift_open|Open a shift
shift_close|Close shift
shift_is_open|The shift is open. Close it from here when you go.
cash_now|Cash in the drawer now
cash_count|Count the cash in the drawer
cash_start|Cash at start
cash_expected|Expected
cash_counted|Counted
difference|Difference
make|Make
z_make|Make the next Z
z_copy|Copy of a Z
z_number|Number of the Z report
z_none|Z report {} is not in this terminal.
r_x|X REPORT
r_z|Z REPORT {}
r_week|REPORT OF THE WEEK
r_shift|SHIFT CLOSED
r_records|Records
r_digest|Digest
deposit|Deposit
paid_out|Paid out
float_then|Float after it
s_stolen|This terminal was reported stolen. It sells nothing. Who has it: call this number.
s_wiped|Away from the office for too long: the stock was removed. Find the network.
no|No
m_set|Sound, display
snd|Sound
snd_all|Keys and results
snd_results|Results only
snd_off|Silent
contrast|Contrast
contrast_t|A stronger, B weaker. # keeps it.
m_service|Service
versions|Versions
self_test|Self-test
sim_network|SIM, network
not_tested|Not tested
hardware|Hardware
bootloader|Bootloader
prices|Price list
settings|Settings
channel|Channel
server|Server
memory|Memory
program|Program
keys|Keys
display|Display
clock|Clock
sim|SIM card
modem|Modem
faulty|FAULT
press_all|Press each key once. Left: {}
lcd_watch|All dots light up for 3 seconds. Look for gaps.
lcd_q|Was every dot lit?
t_battery|{} mV: charge it, or change the cell.
t_clock|It stands or runs wrong: change its cell, then the board.
t_memory|What is written does not read back: change the board.
t_program|It is damaged in flash: bring it again by cable.
t_keys|No answer from: {}
t_lcd|Dots are missing: change the display.
t_mute|It does not answer: look at its cable and supply.
operator|Operator
registered|Registered
rg_none|no
rg_home|at home
rg_search|searching
rg_denied|refused
rg_roam|roaming
cell|Cell
address|IP address
wait_modem|Asking the modem
r_service|SERVICE SLIP
m_training|Training
tr_q|Practise selling. Nothing is sold or sent. It ends here or when switched off.
tr_end|End
tr_mark|TRAINING - NOT SOLD
tr_paper|TRAINING: WORTH NOTHING
tr_name|A customer
tr_done|Tear the slip up: it is worth nothing.
shift_copy|Copy of a shift
no_shifts|No closed shift is in this terminal.
closed|Closed
"""
