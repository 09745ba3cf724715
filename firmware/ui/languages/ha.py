"""What the terminal says in Hausa, a line a text: `key|text`; read by `firmware.ui.texts`."""

TABLE = """
ok|To
back|Baya
clear|Goge
stop|Tsaya
later|Anjima
yes|I
print|Buga
show|Nuna
done|Gama
out|Fita
try|Sake
copy|Kwafi
online|Layi
searching|Ana nema
offline|Ba layi
starting|Ana farawa
your_pin|Lambar sirrinka, sai #
wrong_pin|Lamba ba daidai ba
tries_left|Lambar sirrin ba daidai ba ce. Saura kafin a jira: {}
locked|Ka jira
locked_for|An yi kuskure da yawa. A sake gwadawa bayan daƙiƙa {}.
menu|Menu
m_sell|Sayar da kati
m_topup|Saka kuɗi a lamba
m_meter|Wutar lantarki
m_bill|Biyan kuɗin sabis
again|Ƙari
which_operator|Wane kamfani?
to_topup|Lamba
to_meter|Mita
to_bill|Lambar biya
number|Lamba
type_topup|Rubuta lambar, sai #
type_meter|Rubuta lambar mita, sai #
type_bill|Rubuta lambar biya, sai #
once_more|Sau ɗaya kuma
type_again|Sake rubuta lambar
not_the_same|Lambobin biyu ba ɗaya ba ne. Tambayi mai saya, a fara kuma.
check_it|Sake dubawa
bad_length|Dole ta zama lambobi {}. Ƙirga su tare da mai saya.
bad_start|Lambobin wannan kamfani suna farawa da {}
bad_meter|Akwai lamba marar daidai: wannan ba mita ba ce. Sake karantawa.
favourite|Zaɓi
favourites|Zaɓaɓɓu
all|Duka
fav_on|{}: maɓalli {} a zaɓaɓɓu.
fav_off|{}: ba zaɓaɓɓe ba ne yanzu.
fav_full|Tara ne iyaka. Fara cire ɗaya, a shafinsa.
of_another|Kamar lambar {} ce, ba ta {} ba. A sayar?
is_it|Wannan ne?
amount|Adadin kuɗi
at_least|Mafi ƙaranci
at_most|Mafi yawa
in_steps_of|Ninkin
in_stock|A ajiye
still|Saura
only_online|Ana sayar da shi da layi kawai. Ba a sayar da komai ba.
wait_name|Ana tambayar na wane ne
no_name|Ba a san na wane ne ba. Ba a sayar da komai ba.
pending|Ba a yanke ba
pending_t|An aika ciniki {}. Kada ka sake sayarwa: na'urar za ta tambaya da kanta.
key_first|DA FARKO rubuta lambobin makulli ({}), a wannan jerin:
key_n|Lambar makulli {} cikin {}
then_token|SANNAN lambar wuta:
token_n|Lamba {} cikin {}
d_customer|Mai saya
d_units_kwh|Yuniti kWh
d_tariff|Farashin yuniti
d_tax|Haraji
d_arrears|Bashi
d_fixed_charge|Kuɗin dindindin
d_free_units|Yuniti kyauta kWh
d_other|{}
m_reprint|Sake bugawa
m_sales|Cinikin ƙarshe
wait_sales|Ana karanta ajiyar ciniki
ask|Tambaya
state|Matsayi
sale_no|Rubuta lambar ciniki, sai #
not_among|Ciniki {} ba ya cikin 20 na ƙarshe a wannan na'ura.
st_out|an buga
st_doubt|shakka
st_ready|a buga
st_waits|ba amsa
st_refused|an ƙi
st_back|an maida
st_unread|ya ɓaci
st_doubt_t|Mai yiwuwa takarda ta fito. Idan mai saya ba shi da ita, buga kwafi.
st_waits_t|Tambaya: cinikin ɗaya ne, ba na biyu ba.
st_back_t|Ba a sayar ba. An mayar da kuɗin.
m_day|Rahotanni, aiki
m_float|Kuɗin ajiya
m_messages|Saƙonni
m_language|Harshe
m_info|Wannan na'ura
waiting|Ciniki da ba a gama ba: {}. Shiga ka gama.
m_unfinished|Ba a gama ba
float|Ajiya
commission|Lada
sell_what|Me za a sayar?
sell_q|Sayar {}?
float_now|Ajiya yanzu
float_after|Ajiya bayan haka
checking|Ana duba firinta
wait_printer|Ana tambayar firinta ko akwai takarda
no_paper|Ba takarda
paper_out|Saka sabuwar takarda ka rufe murfi. Ba a sayar da komai ba.
cover_open|Rufe murfin firinta. Ba a sayar da komai ba.
printer_bad|Firinta
weak|Batir ya yi ƙasa
weak_t|Yi caji tukuna: takarda za ta iya katsewa. Ba a sayar da komai ba.
error|Firinta na da matsala. Kashe ta, ka kunna. Ba a sayar da komai ba.
selling|Ana sayarwa
wait_network|Ana neman layi
wait_office|Ana tambayar ofis
wait_server|Ana tambayar sabar
wait_print|Ana buga takarda
wait_report|Ana buga rahoto
no_network|Ba layi
n_no_sim|Ba katin SIM
n_sim_locked|An kulle SIM
n_denied|An ƙi SIM
n_no_gprs|Ba data
n_no_modem|Matsalar modem
stock_q|A sayar daga ajiyar wannan na'ura? Saura: {}
sms|SMS
sms_q|Ba data. A nemi ta SMS? Za a biya SMS guda.
wait_sms|An nema ta SMS. Zai iya ɗaukar minti guda.
no_answer|Ba amsa tukuna
no_answer_t|An ajiye ciniki {}. Sake tambaya yanzu, ko anjima a menu.
sold|An sayar
sold_t|Ba mai saya takardar.
sold_unsure|Duba takardar. Idan ba cikakkiya ba, buga kwafi.
not_sold|Ba a sayar ba
not_printed|Ba a buga ba
np_paper_out|Takarda ta ƙare. Saka sabuwa, sannan ka sake bugawa.
np_cover_open|Murfi a buɗe yake. Rufe shi, sannan ka sake bugawa.
np_error|Firinta ta tsaya. Kashe ta, ka kunna, ka sake bugawa.
pin_is|PIN
show_pin_q|A nuna PIN a fuskar na'ura? Rubuta wa mai saya.
cut|Ciniki ya katse
cut_print|Ciniki {}, {}: mai saya yana da takarda? Idan babu, buga KWAFI.
cut_ask|Ciniki {}, {}: sabar ba ta amsa ba. A tambaya yanzu?
no_last|Babu cinikin da za a sake bugawa tukuna.
last_q|A sake buga ciniki {}, da alamar KWAFI? {}
no_messages|Babu saƙo.
sales|Ciniki
total|Jimla
unsynced|Ba a aika ba
reprints|Kwafi
release|Sigar aiki
slot|Gefe
terminal|Na'ura
signal|Ƙarfin layi
battery|Batir
time|Lokaci
on_trial|ana gwaji
e_no_float|Kuɗin ajiyarka ya yi kaɗan. Ƙara, sannan ka sayar.
e_offline_amount|Ya yi tsada ba layi. Zaɓi ƙarami ko ka jira.
e_offline_count|An kai iyakar ciniki ba layi. Ka jira layi.
e_offline_total|An kai iyakar kuɗi ba layi. Ka jira layi.
e_offline_age|An daɗe ba layi. Je inda akwai layi, sannan ka sayar.
e_no_stock|Irin wannan kati ya ƙare. Zaɓi wani ko ka jira layi.
e_unknown_product|Ba a sayar da wannan kuma. Zaɓi wani.
e_journal_full|Ajiyar ciniki ta cika. Ka jira layi: za ta rage da kanta.
e_pending_sale|Ka gama cinikin da ke jira tukuna: duba menu.
e_spoiled|Ba a iya karanta wannan kati. Ba a cire kuɗi ba. Sayar da wani.
e_unreadable|Ba a iya karanta wannan kati yanzu. Nemi layi, sannan ka buga.
e_conflict|Sabar na da wani ciniki da wannan lamba. Kira wakilinka.
e_price_changed|Farashi ko lada ya canja. Sake dubawa ko a gwada anjima.
e_no_vouchers|Kamfani ba shi da kati yanzu. Sayar da wani, ko gwada anjima.
e_bad_recipient|Ba a san wannan lamba ba. Tambayi mai saya, ka sake rubutawa.
e_supplier_refused|Mai kawo kaya ya ƙi wannan ciniki. Ba a cire kuɗi ba.
e_supplier_down|Ba a samun mai kawo kaya. Ba a cire kuɗi ba. Gwada anjima.
e_restoring|Ana gyaran ofis. Sayar daga ajiya, ko gwada anjima.
e_blocked|An kulle wannan na'ura. Kira wakilinka.
e_other|Sabar ta ƙi ({}). Idan ya ci gaba, kira wakilinka.
service|Ana buƙatar gyara
s_config|Saitin na'ura ya ɓata ko ba shi. Kai ta wurin mai gyara.
s_catalogue|Jerin farashi ya ɓata ko ba shi. Zai dawo idan layi ya dawo.
s_journal|Ba a iya karanta ajiyar ciniki. Kada ka sayar. Kira mai gyara.
r_duplicate|KWAFI
r_copy|Kwafi
r_serial|Lamba
r_tax|Haraji
r_vat|VAT {}% a ciki
r_dial|Danna
r_help|Taimako
r_valid|Har zuwa
r_sale|Ciniki
r_thanks|Mun gode
r_day|RAHOTON RANA
r_offline|daga ajiya
m_pin|Lambar sirrina
m_people|Mutane
owner|Mai shago
cashier|Mai kuɗi
technician|Mai gyara
add|Ƙara mutum
name|Suna
rename|Wani suna
remove|Cire
pin_give|Sabuwar lamba
pin_old|Lambar sirrinka ta yanzu
pin_new|Sabuwar lamba: {} zuwa {}
pin_again|Sabuwar lamba sake
pin_short|Lambar ta yi gajarta. Ba a canja komai ba.
pin_easy|Ɓarawo zai fara gwada wannan. Zaɓi wata.
pin_differs|Lambobin biyu ba ɗaya ba ne. Ba a canja komai ba.
pin_kept|Sabuwar lambar ta fara aiki.
not_kept|Ba a iya ajiyewa ba. Ba a canja komai ba. Kira mai gyara.
remove_q|A cire {}? Tsofaffin ciniki za su riƙe sunan.
people_kept|An ajiye a wannan na'ura.
spell|Maɓalli ɗaya: wani harafi
spell_on|B: harafi na gaba
cancel|Soke
cancel_q|A soke ciniki {}? Sai idan abokin ciniki bai karɓi komai ba. Ofis ke yanke hukunci.
cancel_kept|Ciniki {}: za a tambayi ofis da kansa. Kada ka ba da shi.
cancel_no|Ofis bai soke ba. Ka ba abokin ciniki.
e_cancelled|An soke wannan ciniki. Ba a caji komai ba.
r_cancelled|AN SOKE CINIKI
m_shift|Lokacin aiki
m_z|Rahoton Z
rp_today|Yau
rp_yesterday|Jiya
rp_week|Wannan mako
rp_x|X: tun Z na ƙarshe
shift_open|Fara aiki
shift_close|Rufe aiki
shift_is_open|An fara aiki. Ka rufe shi a nan idan za ka tafi.
cash_now|Kuɗin da ke akwati yanzu
cash_count|Ƙidaya kuɗin akwati
cash_start|Da farko
cash_expected|Ana tsammani
cash_counted|An ƙidaya
difference|Bambanci
make|Yi
z_make|Yi Z na gaba
z_copy|Kwafin Z
z_number|Lambar rahoton Z
z_none|Rahoton Z {} ba ya cikin wannan na'ura.
r_x|RAHOTON X
r_z|RAHOTON Z {}
r_week|RAHOTON MAKO
r_shift|AN RUFE AIKI
r_records|Bayanai
r_digest|Alama
deposit|Ajiya
paid_out|An fitar
float_then|Saura bayan
s_stolen|An ce an sace wannan na'ura. Ba ta sayar da komai. Mai ita: kira wannan lamba.
s_wiped|An daɗe ba ofis: an share katunan. Nemi hanyar sadarwa.
no|A'a
m_set|Sauti, allo
snd|Sauti
snd_all|Maɓalli, sakamako
snd_results|Sakamako kawai
snd_off|Shiru
contrast|Haske
contrast_t|A ƙari, B ragi. # ya ajiye.
m_service|Gyara
versions|Sigogi
self_test|Gwaji
sim_network|SIM, hanyar sadarwa
not_tested|Ba a gwada ba
hardware|Na'ura
bootloader|Mai tayarwa
prices|Jerin farashi
settings|Saituna
channel|Tasha
server|Saba
memory|Ƙwaƙwalwa
program|Shiri
keys|Maɓalli
display|Allo
clock|Agogo
sim|Katin SIM
modem|Modem
faulty|MATSALA
press_all|Danna kowane maɓalli sau ɗaya. Saura: {}
lcd_watch|Duk ɗigo za su haska na daƙiƙa 3. Duba giɓi.
lcd_q|Duk ɗigo sun haska?
t_battery|{} mV: yi caji, ko sauya batir.
t_clock|Ya tsaya ko ba daidai ba: sauya batirinsa, sannan allon.
t_memory|Abin da aka rubuta ba ya karantuwa: sauya allon.
t_program|Ya lalace: sake kawo shi da kebul.
t_keys|Ba su amsa ba: {}
t_lcd|Wasu ɗigo babu: sauya allon nuni.
t_mute|Ba ya amsawa: duba kebul da wutarsa.
operator|Kamfani
registered|Rajista
rg_none|a'a
rg_home|na gida
rg_search|ana nema
rg_denied|an ƙi
rg_roam|baƙunci
cell|Hasumiya
address|Adireshin IP
wait_modem|Ana tambayar modem
r_service|TAKARDAR GYARA
m_training|Koyarwa
tr_q|Koyon sayarwa. Ba a sayar ko aika komai. Yana ƙarewa nan ko an kashe.
tr_end|Ƙare
tr_mark|KOYARWA - BA SAYARWA
tr_paper|KOYARWA: BA TA DA DARAJA
tr_name|Abokin ciniki
tr_done|Yaga takardar: ba ta da daraja.
shift_copy|Kwafin lokacin aiki
no_shifts|Babu aikin da aka rufe a wannan na'ura.
closed|An rufe
"""
