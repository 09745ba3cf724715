"""What the terminal says in Swahili, a line a text: `key|text`; read by `firmware.ui.texts`."""

TABLE = """
ok|Sawa
back|Rudi
clear|Futa
stop|Acha
later|Baadaye
yes|Ndio
print|Chapa
show|Ona
done|Tayari
out|Toka
try|Jaribu tena
copy|Nakala
online|Hewani
searching|Inatafuta
offline|Bila mtandao
starting|Inaanza
your_pin|PIN yako, kisha #
wrong_pin|PIN si sahihi
tries_left|PIN hiyo si sahihi. Majaribio kabla ya kusubiri: {}
locked|Tafadhali subiri
locked_for|PIN zisizo sahihi ni nyingi. Jaribu tena baada ya sekunde {}.
menu|Menyu
m_sell|Uza vocha
m_topup|Ongeza salio la simu
m_meter|Umeme
m_bill|Lipa bili
again|Tena
which_operator|Mtandao gani?
to_topup|Namba
to_meter|Mita
to_bill|Kumbukumbu
number|Namba
type_topup|Andika namba, kisha #
type_meter|Andika namba ya mita, kisha #
type_bill|Andika kumbukumbu, kisha #
once_more|Mara nyingine
type_again|Andika namba ileile tena
not_the_same|Namba hizi mbili si sawa. Muulize mteja, anza tena.
check_it|Angalia tena
bad_length|Lazima iwe na tarakimu {}. Zihesabu na mteja.
bad_start|Namba za mtandao huu huanza na {}
bad_meter|Tarakimu moja si sahihi: hii si mita. Isome tena.
favourite|Pendwa
favourites|Vipendwa
all|Zote
fav_on|{}: sasa ni kitufe {} cha vipendwa.
fav_off|{}: si kipendwa tena.
fav_full|Mwisho ni tisa. Ondoa moja kwanza, kwenye ukurasa wake.
of_another|Namba hii inaonekana ya {}, si ya {}. Uuze?
is_it|Ni huyu?
amount|Kiasi
at_least|Angalau
at_most|Isizidi
in_steps_of|Kwa hatua za
in_stock|Akiba
still|Bado
only_online|Inauzwa kwa mtandao tu. Hakuna kilichouzwa.
wait_name|Inauliza ni ya nani
no_name|Haijulikani ni ya nani. Hakuna kilichouzwa.
pending|Bado haijaamuliwa
pending_t|Mauzo {} yametumwa. Usiuze tena: terminali itauliza yenyewe.
key_first|KWANZA andika tokeni za ufunguo ({}), kwa mpangilio huu:
key_n|Tokeni ya ufunguo {} kati ya {}
then_token|KISHA tokeni ya umeme:
token_n|Tokeni {} kati ya {}
d_customer|Mteja
d_units_kwh|Uniti kWh
d_tariff|Bei ya uniti
d_tax|Kodi
d_arrears|Deni
d_fixed_charge|Ada ya kudumu
d_free_units|Uniti za bure kWh
d_other|{}
m_reprint|Chapa tena
m_sales|Mauzo ya mwisho
wait_sales|Inasoma kumbukumbu za mauzo
ask|Uliza
state|Hali
sale_no|Andika namba ya mauzo, kisha #
not_among|Mauzo {} si kati ya 20 ya mwisho ya terminali hii.
st_out|tayari
st_doubt|shaka
st_ready|chapa
st_waits|bila jibu
st_refused|kataliwa
st_back|yamerudi
st_unread|haisomeki
st_doubt_t|Huenda risiti imetoka. Kama mteja hana, chapa nakala.
st_waits_t|Uliza: ni mauzo yaleyale, si ya pili.
st_back_t|Hayakuuzwa. Salio limerudishiwa pesa zake.
m_day|Ripoti, zamu
m_float|Salio
m_messages|Ujumbe
m_language|Lugha
m_info|Terminali hii
waiting|Mauzo ya kumaliza: {}. Ingia uyamalize.
m_unfinished|Mauzo yasiyoisha
float|Salio
commission|Kamisheni
sell_what|Uuze nini?
sell_q|Uza {}?
float_now|Salio sasa
float_after|Salio baadaye
checking|Inaangalia printa
wait_printer|Inauliza printa kama ina karatasi
no_paper|Hakuna karatasi
paper_out|Weka karatasi mpya, funga kifuniko. Hakuna kilichouzwa.
cover_open|Funga kifuniko cha printa. Hakuna kilichouzwa.
printer_bad|Printa
weak|Betri imepungua
weak_t|Ichaji kwanza: risiti inaweza kukatika. Hakuna kilichouzwa.
error|Printa ina hitilafu. Izime, iwashe. Hakuna kilichouzwa.
selling|Inauza
wait_network|Inatafuta mtandao
wait_office|Inauliza ofisi
wait_server|Inauliza seva
wait_print|Inachapa risiti
wait_report|Inachapa ripoti
no_network|Hakuna mtandao
n_no_sim|Hakuna laini (SIM)
n_sim_locked|SIM imefungwa
n_denied|SIM imekataliwa
n_no_gprs|Hakuna data
n_no_modem|Hitilafu ya modemu
stock_q|Uza kutoka akiba ya terminali hii? Zimebaki: {}
sms|SMS
sms_q|Hakuna data. Uliza kwa SMS? SMS moja italipiwa.
wait_sms|Imeulizwa kwa SMS. Huenda ikachukua dakika moja.
no_answer|Hakuna jibu bado
no_answer_t|Mauzo {} yamehifadhiwa. Uliza tena sasa, au baadaye kwenye menyu.
sold|Imeuzwa
sold_t|Mpe mteja risiti.
sold_unsure|Angalia risiti. Kama si kamili, chapa nakala.
not_sold|Haijauzwa
not_printed|Haijachapwa
np_paper_out|Karatasi imeisha. Weka mpya, kisha chapa tena.
np_cover_open|Kifuniko kiko wazi. Kifunge, kisha chapa tena.
np_error|Printa imesimama. Izime, iwashe, kisha chapa tena.
pin_is|PIN
show_pin_q|Onyesha PIN kwenye skrini? Mwandikie mteja.
cut|Mauzo yalikatika
cut_print|Mauzo {}, {}: mteja ana risiti? Kama hana, chapa NAKALA.
cut_ask|Mauzo {}, {}: seva haijajibu. Uliza sasa?
no_last|Bado hakuna mauzo ya kuchapa tena.
last_q|Chapa tena mauzo {}, yenye alama NAKALA? {}
no_messages|Hakuna ujumbe.
sales|Mauzo
total|Jumla
unsynced|Hazijatumwa
reprints|Nakala
release|Toleo
slot|Upande
terminal|Terminali
signal|Nguvu
battery|Betri
time|Saa
on_trial|kwa majaribio
e_no_float|Salio lako ni dogo. Liongeze, kisha uza.
e_offline_amount|Ni ghali mno bila mtandao. Chagua ndogo au subiri.
e_offline_count|Kikomo cha mauzo bila mtandao kimefika. Subiri mtandao.
e_offline_total|Kikomo cha pesa bila mtandao kimefika. Subiri mtandao.
e_offline_age|Muda mrefu bila mtandao. Nenda penye mtandao, kisha uza.
e_no_stock|Vocha za aina hii zimeisha. Chagua nyingine au subiri mtandao.
e_unknown_product|Bidhaa hii haiuzwi tena. Chagua nyingine.
e_journal_full|Kumbukumbu za mauzo zimejaa. Subiri mtandao: zitapungua zenyewe.
e_pending_sale|Maliza kwanza mauzo yanayosubiri: angalia menyu.
e_spoiled|Vocha hii haisomeki. Hakuna kilicholipwa. Uza nyingine.
e_unreadable|Vocha hii haisomeki sasa. Tafuta mtandao, kisha ichape.
e_conflict|Seva ina mauzo mengine ya namba hii. Mpigie wakala wako.
e_price_changed|Bei au kamisheni imebadilika. Angalia tena au jaribu baadaye.
e_no_vouchers|Mtandao hauna vocha sasa. Uza nyingine, au jaribu baadaye.
e_bad_recipient|Namba hii haijulikani. Muulize mteja, iandike tena.
e_supplier_refused|Msambazaji amekataa mauzo haya. Hakuna kilicholipwa.
e_supplier_down|Msambazaji hapatikani. Hakuna kilicholipwa. Jaribu baadaye.
e_restoring|Ofisi inarejeshwa. Uza kutoka akiba, au jaribu baadaye.
e_blocked|Terminali hii imefungwa. Mpigie wakala wako.
e_other|Seva imekataa ({}). Ikiendelea, mpigie wakala wako.
service|Inahitaji fundi
s_config|Mipangilio haipo au imeharibika. Peleka terminali kwa fundi.
s_catalogue|Orodha ya bei haipo au imeharibika. Itarudi na mtandao.
s_journal|Kumbukumbu za mauzo hazisomeki. Usiuze. Mwite fundi.
r_duplicate|NAKALA
r_copy|Nakala
r_serial|Serie
r_tax|TIN
r_vat|VAT {}% ndani
r_dial|Piga
r_help|Msaada
r_valid|Mwisho
r_sale|Mauzo
r_thanks|Asante
r_day|RIPOTI YA SIKU
r_offline|kutoka akiba
m_pin|PIN yangu
m_people|Watu
owner|Mwenye duka
cashier|Keshia
technician|Fundi
add|Ongeza mtu
name|Jina
rename|Jina jingine
remove|Ondoa
pin_give|PIN mpya
pin_old|PIN yako ya sasa
pin_new|PIN mpya: tarakimu {} hadi {}
pin_again|PIN mpya tena
pin_short|PIN hii ni fupi mno. Hakuna kilichobadilika.
pin_easy|Mwizi hujaribu PIN hii kwanza. Chagua nyingine.
pin_differs|PIN mbili hazifanani. Hakuna kilichobadilika.
pin_kept|PIN mpya inatumika kuanzia sasa.
not_kept|Kumbukumbu haipokei. Hakuna kilichobadilika. Mwite fundi.
remove_q|Umwondoe {}? Mauzo ya nyuma yanabaki na jina.
people_kept|Imehifadhiwa kwenye terminali hii.
spell|Kitufe hicho: herufi nyingine
spell_on|B: herufi ifuatayo
cancel|Futa
cancel_q|Ufute mauzo {}? Ikiwa tu mteja hana kitu chake. Ofisi huamua.
cancel_kept|Mauzo {}: ofisi itaulizwa yenyewe. Usimpe mteja kitu.
cancel_no|Ofisi haifuti. Mpe mteja.
e_cancelled|Mauzo haya yamefutwa. Hakuna kinachotozwa.
r_cancelled|MAUZO YAMEFUTWA
m_shift|Zamu
m_z|Ripoti ya Z
rp_today|Leo
rp_yesterday|Jana
rp_week|Wiki hii
rp_x|X: tangu Z iliyopita
shift_open|Fungua zamu
shift_close|Funga zamu
shift_is_open|Zamu imefunguliwa. Ifunge hapa ukiondoka.
cash_now|Pesa zilizo kwenye droo sasa
cash_count|Hesabu pesa za droo
cash_start|Mwanzoni
cash_expected|Inatarajiwa
cash_counted|Imehesabiwa
difference|Tofauti
make|Fanya
z_make|Fanya Z ifuatayo
z_copy|Nakala ya Z
z_number|Namba ya ripoti ya Z
z_none|Ripoti ya Z {} haimo kwenye terminali hii.
r_x|RIPOTI YA X
r_z|RIPOTI YA Z {}
r_week|RIPOTI YA WIKI
r_shift|ZAMU IMEFUNGWA
r_records|Rekodi
r_digest|Muhtasari
deposit|Amana
paid_out|Kutolewa
float_then|Salio baada
s_stolen|Terminali hii imeripotiwa kuibiwa. Haiuzi chochote. Uliye nayo: piga namba hii.
s_wiped|Muda mrefu bila ofisi: akiba ya vocha imefutwa. Tafuta mtandao.
no|Hapana
m_set|Sauti, skrini
snd|Sauti
snd_all|Vitufe na matokeo
snd_results|Matokeo tu
snd_off|Kimya
contrast|Mwangaza
contrast_t|A zaidi, B pungufu. # huhifadhi.
m_service|Ufundi
versions|Matoleo
self_test|Jaribio
sim_network|SIM, mtandao
not_tested|Haijajaribiwa
hardware|Kifaa
bootloader|Kianzishi
prices|Orodha ya bei
settings|Mipangilio
channel|Njia
server|Seva
memory|Kumbukumbu
program|Programu
keys|Vitufe
display|Skrini
clock|Saa
sim|Kadi ya SIM
modem|Modemu
faulty|HITILAFU
press_all|Bonyeza kila kitufe mara moja. Bado: {}
lcd_watch|Nukta zote zitawaka sekunde 3. Tafuta mapengo.
lcd_q|Nukta zote ziliwaka?
t_battery|{} mV: chaji, au badilisha betri.
t_clock|Imesimama au si sahihi: badilisha betri yake, kisha bodi.
t_memory|Kilichoandikwa hakisomeki: badilisha bodi.
t_program|Imeharibika: ilete tena kwa kebo.
t_keys|Havijibu: {}
t_lcd|Nukta zimekosekana: badilisha skrini.
t_mute|Haijibu: angalia kebo na umeme wake.
operator|Mtoa huduma
registered|Usajili
rg_none|hapana
rg_home|nyumbani
rg_search|inatafuta
rg_denied|imekataliwa
rg_roam|mgeni
cell|Mnara
address|Anwani ya IP
wait_modem|Inauliza modemu
r_service|HATI YA FUNDI
m_training|Mafunzo
tr_q|Jifunze kuuza. Hakuna kinachouzwa wala kutumwa. Huisha hapa au ukizima.
tr_end|Maliza
tr_mark|MAFUNZO - HAIUZWI
tr_paper|MAFUNZO: HAINA THAMANI
tr_name|Mteja
tr_done|Chana karatasi: haina thamani.
shift_copy|Nakala ya zamu
no_shifts|Hakuna zamu iliyofungwa kwenye terminali hii.
closed|Imefungwa
"""
